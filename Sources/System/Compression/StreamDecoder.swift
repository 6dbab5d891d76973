/// Why bytes cannot be decompressed.
package struct DecompressionError: Error, Equatable {
    /// Completes "FILE: ".
    package var complaint: String
    package var advice: String?

    init(_ complaint: String, advice: String? = nil) {
        self.complaint = complaint
        self.advice = advice
    }
}

/// Decompresses a stream that arrives in pieces of any length: one member or frame, or several behind each other.
protocol StreamDecoder: AnyObject {
    /// Whether the stream may end with the bytes decoded so far.
    var isComplete: Bool { get }

    /// Decodes as much of `input` as `output` has room for.
    /// - Parameters:
    ///   - input: the next bytes of the stream
    ///   - output: where decompressed bytes go
    /// - Returns: how many bytes were taken and written; neither only if there is no input or no room
    /// - Throws: what is wrong with the stream
    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(DecompressionError) -> (used: Int, written: Int)

    /// Begins a new stream.
    func reset()
}

extension StreamDecoder {
    /// As above, into the bytes `range` of `output`.
    func decode(
        _ input: Span<UInt8>, into output: inout [UInt8], _ range: Range<Int>
    ) throws(DecompressionError) -> (used: Int, written: Int) {
        var target = output.mutableSpan
        return try unsafe input.withUnsafeBytes { (input) throws(DecompressionError) in
            try unsafe target.withUnsafeMutableBytes { (output) throws(DecompressionError) in
                try unsafe decode(input, into: UnsafeMutableRawBufferPointer(rebasing: output[range]))
            }
        }
    }
}

/// The formats of compressed files.
package enum FileCompression: Sendable, Equatable {
    case gzip, zstandard

    /// The program that makes such files.
    package var name: String { self == .gzip ? "gzip" : "zstd" }

    func makeDecoder() throws(DecompressionError) -> any StreamDecoder {
        switch self {
        case .gzip: try GzipDecoder()
        case .zstandard: try ZstandardDecoder()
        }
    }
}
