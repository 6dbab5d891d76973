import Diagnostics
import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads a tensor's numbers where the manifest says they lie, without any library that parses the file: this tells
/// which tensor a damaged file has lost.
enum RawPieces {
    /// `TensorDigest` of what is stored; nil if a piece cannot be read to its end. Memory: 4 MB.
    static func digest(of tensor: StoredTensor, in directory: String, _ files: [Manifest.File]) -> UInt64? {
        let digest = TensorDigest(name: tensor.name)
        var sum: UInt64 = 0
        for piece in tensor.pieces {
            let file = unsafe open("\(directory)/\(files[piece.file].name)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            guard file >= 0 else { return nil }
            defer { close(file) }
            var isWhole = true
            piece.rectangle.forEachRun(in: tensor.shape) { local, global, length in
                guard isWhole else { return }
                let part = digestOfRun(
                    file, byte: piece.byteOffset + 4 * local, elements: length, at: global, digest)
                isWhole = part != nil
                sum &+= part ?? 0
            }
            guard isWhole else { return nil }
        }
        return sum
    }

    private static func digestOfRun(
        _ file: Int32, byte: Int, elements: Int, at index: Int, _ digest: TensorDigest
    ) -> UInt64? {
        let buffer = Vector<Float>(count: min(elements, 1 << 20))
        var sum: UInt64 = 0
        for start in stride(from: 0, to: elements, by: buffer.count) {
            let window = buffer[0..<min(buffer.count, elements - start)]
            guard fill(window, from: file, byte: byte + 4 * start) else { return nil }
            sum &+= digest.part(window.span, at: index + start)
        }
        return sum
    }

    private static func fill(_ values: Vector<Float>, from file: Int32, byte: Int) -> Bool {
        var done = 0
        while done < values.count * 4 {
            let count = unsafe pread(
                file, UnsafeMutableRawPointer(values.pointer) + done, values.count * 4 - done, byte + done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}
