import Diagnostics

/// Where tokens go: a file in one of the formats that trainers read.
protocol TokenSink {
    func append(_ tokens: Span<UInt16>) throws(Failure)
    /// What was appended since the last call is one document; `hash` is the digest of its text.
    func endDocument(hash: UInt64) throws(Failure)
    /// Completes the file and gives it its name.
    func finish(_ metadata: TokenFileMetadata) throws(Failure)
}
