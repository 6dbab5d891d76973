import Diagnostics
import Platform

/// nanoGPT's `train.bin`: little-endian tokens of 16 bits, or of 32, and nothing else.
final class NanoGPTWriter: TokenSink {
    private let file: AtomicFile
    private let width: TokenWidth

    init(_ path: String, _ width: TokenWidth) throws(Failure) {
        file = try AtomicFile(path)
        self.width = width
    }

    func append(_ tokens: Span<UInt32>) throws(Failure) { try file.append(tokens, in: width) }

    func endDocument(hash: UInt64) {}

    func finish(_ metadata: TokenFileMetadata) throws(Failure) { try file.commit() }
}
