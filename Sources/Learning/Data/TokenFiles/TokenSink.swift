import Diagnostics
import Platform

/// Where tokens go: a file in one of the formats that trainers read.
protocol TokenSink {
    func append(_ tokens: Span<UInt32>) throws(Failure)
    /// What was appended since the last call is one document; `hash` is the digest of its text.
    func endDocument(hash: UInt64) throws(Failure)
    /// Completes the file and gives it its name.
    func finish(_ metadata: TokenFileMetadata) throws(Failure)
}

extension AtomicFile {
    /// Adds `tokens` at the end, each in `width`: two bytes, for tokens below 65,536, or four.
    func append(_ tokens: Span<UInt32>, in width: TokenWidth) throws(Failure) {
        guard width == .two else {
            precondition(width == .four)
            return try append(tokens)
        }
        let narrow = tokens.indices.map { UInt16(tokens[$0]) }
        try append(narrow.span)
    }
}
