package import Diagnostics
import Platform
package import Tensors

/// A safetensors file to read from. Shares no code with the writer.
package final class SafetensorsFile {
    package let path: String
    /// In the order in which they lie in the file.
    package let tensors: [SafetensorsTensor]
    private let descriptor: Int32

    /// Checks the header; numbers are not looked at.
    /// - Throws: `noInput` if it cannot be opened, `data` with what is wrong
    package init(_ path: String) throws(Failure) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw Failure(system: .noInput, "cannot open \(path)")
        }
        do throws(Failure) {
            tensors = try Self.readHeader(descriptor, path)
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    private static func readHeader(_ descriptor: Int32, _ path: String) throws(Failure) -> [SafetensorsTensor] {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.noInput, "cannot read \(path): it is not a regular file")
        }
        let size = Int(status.st_size)
        let head = try bytes(8, at: 0, of: descriptor, path)
        let length = head.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(SafetensorsHeader.limit), Int(length) <= size - 8 else {
            throw Failure(
                .data, "\(path) has \(size) bytes and claims a header of \(length)",
                advice: "it is truncated, or not a safetensors file")
        }
        let json = try bytes(Int(length), at: 8, of: descriptor, path)
        return try SafetensorsHeader.tensors(json: json, fileBytes: size, path: path)
    }

    private static func bytes(
        _ count: Int, at offset: Int, of descriptor: Int32, _ path: String
    ) throws(Failure) -> [UInt8] {
        let values = Vector<UInt8>(count: count)
        try unsafe read(
            descriptor, path, byte: offset, into: unsafe UnsafeMutableRawPointer(values.pointer), count: count)
        return values.array
    }

    private static func read(
        _ descriptor: Int32, _ path: String, byte: Int, into target: UnsafeMutableRawPointer, count: Int
    ) throws(Failure) {
        var done = 0
        while done < count {
            let found = unsafe pread(descriptor, target + done, count - done, off_t(byte + done))
            if found < 0, errno == EINTR { continue }
            guard found > 0 else { throw Failure(.data, "\(path) is truncated: byte \(byte + done) is missing") }
            done += found
        }
    }

    /// Elements `range` of a tensor in row-major order, as float32: exact whatever the stored type.
    package func read(_ tensor: SafetensorsTensor, _ range: Range<Int>) throws(Failure) -> Vector<Float> {
        precondition(range.lowerBound >= 0 && range.upperBound <= tensor.count)
        let values = Vector<Float>(count: range.count)
        let byte = tensor.offset + tensor.type.bytes * range.lowerBound
        guard tensor.type != .float32 else {
            try unsafe Self.read(
                descriptor, path, byte: byte, into: unsafe UnsafeMutableRawPointer(values.pointer),
                count: 4 * range.count)
            return values
        }
        let stored = Vector<UInt16>(count: range.count)
        try unsafe Self.read(
            descriptor, path, byte: byte, into: unsafe UnsafeMutableRawPointer(stored.pointer), count: 2 * range.count)
        let isBrief = tensor.type == .bfloat16
        for i in 0..<range.count {
            values[i] = isBrief ? Float(bitPattern: UInt32(stored[i]) << 16) : float(half: stored[i])
        }
        return values
    }
}

/// The value of sixteen bits of IEEE 754 binary16.
func float(half bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F), fraction = Float(bits & 0x3FF)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * (1 + fraction * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
}
