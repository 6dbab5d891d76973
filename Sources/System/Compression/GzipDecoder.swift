import CZlib

/// gzip's format (RFC 1952) by zlib: any number of members, behind the last one nothing but zeros, with which tapes are filled up.
@safe final class GzipDecoder: StreamDecoder {
    private enum Place { case beforeMember, inMember, betweenMembers, inPadding }

    private let stream: UnsafeMutablePointer<z_stream>
    private var place = Place.beforeMember

    init() throws(DecompressionError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe shim_inflate_gzip(stream) == Z_OK else {
            unsafe stream.deallocate()
            throw DecompressionError("zlib has no memory to decompress it")
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    var isComplete: Bool { place != .inMember }

    func reset() {
        unsafe inflateReset(stream)
        place = .beforeMember
    }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DecompressionError) -> (used: Int, written: Int) {
        // Without input zlib may still have output that found no room.
        if place != .inMember {
            guard let first = unsafe input.first else { return (0, 0) }
            if place == .inPadding || place == .betweenMembers && first == 0 {
                guard unsafe input.allSatisfy({ $0 == 0 }) else { throw Self.trailingBytes }
                place = .inPadding
                return (input.count, 0)
            }
            guard place == .beforeMember || first == 0x1F else { throw Self.trailingBytes }
            unsafe inflateReset(stream)
        }
        place = .inMember
        return try unsafe inflateOnce(input, into: output)
    }

    private static let trailingBytes = DecompressionError(
        "something that is no gzip follows the compressed data",
        advice: "the file was damaged or written over; copy it again")

    private func inflateOnce(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DecompressionError) -> (used: Int, written: Int) {
        let most = 1 << 30
        let given = UInt32(min(input.count, most)), room = UInt32(min(output.count, most))
        // zlib reads through a pointer that is declared without const.
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe stream.pointee.avail_in = given
        unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = room
        switch unsafe inflate(stream, Z_NO_FLUSH) {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: place = .betweenMembers
        case Z_MEM_ERROR: throw DecompressionError("zlib has no memory to decompress it")
        default:
            let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "unknown data"
            throw DecompressionError("its gzip data are damaged (\(reason))", advice: "copy it again")
        }
        return unsafe (Int(given - stream.pointee.avail_in), Int(room - stream.pointee.avail_out))
    }
}

/// The cyclic redundancy check of gzip and Parquet (CRC-32 of ISO 3309), of `bytes`.
package func cyclicRedundancyCheck(of bytes: Span<UInt8>) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { unsafe UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count)) }
}
