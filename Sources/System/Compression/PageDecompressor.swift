import CSnappy

/// How a page of a Parquet file is compressed, if it is.
package enum PageCompression: Sendable, Equatable { case snappy, gzip, zstandard }

/// Decompresses blocks whose decompressed size is known, one after the other.
package final class PageDecompressor {
    /// Nil for Snappy, which has no streams in Parquet.
    private let decoder: (any StreamDecoder)?

    package init(_ compression: PageCompression) throws(DecompressionError) {
        switch compression {
        case .snappy: decoder = nil
        case .gzip: decoder = try GzipDecoder()
        case .zstandard: decoder = try ZstandardDecoder()
        }
    }

    /// Replaces `page` with what `input` decompresses to. The memory that this takes follows from the bytes that are there, not from
    /// the size that is claimed.
    /// - Parameters:
    ///   - input: the whole compressed block
    ///   - size: the bytes that it must decompress to
    ///   - page: its contents are replaced
    /// - Throws: what is wrong with the block, also if it does not decompress to exactly `size` bytes
    package func decompress(
        _ input: Span<UInt8>, to size: Int, into page: inout [UInt8]
    ) throws(DecompressionError) {
        guard let decoder else { return try decompressSnappy(input, to: size, into: &page) }
        decoder.reset()
        page.removeAll(keepingCapacity: true)
        // One byte more than is wanted: a block that becomes larger is noticed by it.
        let most = size + 1
        page.grow(to: min(most, 16 * input.count + 65_536))
        var used = 0, written = 0
        while true {
            let step = try decoder.decode(
                input.extracting(used..<input.count), into: &page, written..<page.count)
            used += step.used
            written += step.written
            if used == input.count, decoder.isComplete { break }
            if written == page.count, page.count < most {
                page.grow(to: min(most, 4 * page.count))
            } else if step == (0, 0) {
                break
            }
        }
        guard used == input.count, decoder.isComplete, written == size else { throw Self.otherSize(size) }
        page.removeLast(page.count - size)
    }

    private func decompressSnappy(
        _ input: Span<UInt8>, to size: Int, into page: inout [UInt8]
    ) throws(DecompressionError) {
        // Three bytes of Snappy copy at most 64.
        guard size <= 22 * input.count + 64 else { throw Self.otherSize(size) }
        page.removeAll(keepingCapacity: true)
        page.grow(to: size)
        var target = page.mutableSpan
        try unsafe input.withUnsafeBufferPointer { (input) throws(DecompressionError) in
            try unsafe target.withUnsafeMutableBufferPointer { (output) throws(DecompressionError) in
                try unsafe Self.decompressSnappy(input, into: output)
            }
        }
    }

    private static func decompressSnappy(
        _ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>
    ) throws(DecompressionError) {
        let source = unsafe UnsafeRawPointer(input.baseAddress)?.assumingMemoryBound(to: CChar.self)
        let target = unsafe UnsafeMutableRawPointer(output.baseAddress)?.assumingMemoryBound(to: CChar.self)
        var length = 0
        guard unsafe snappy_uncompressed_length(source, input.count, &length) == SNAPPY_OK, length == output.count
        else {
            throw otherSize(output.count)
        }
        guard length > 0 else { return }
        guard unsafe snappy_uncompress(source, input.count, target, &length) == SNAPPY_OK, length == output.count else {
            throw DecompressionError("its Snappy data are damaged", advice: "copy it again")
        }
    }

    private static func otherSize(_ size: Int) -> DecompressionError {
        DecompressionError(
            "its compressed data do not become the \(size) bytes that they claim", advice: "copy it again")
    }
}

extension [UInt8] {
    /// Appends zeros up to `count` bytes.
    fileprivate mutating func grow(to count: Int) { append(contentsOf: repeatElement(0, count: count - self.count)) }
}
