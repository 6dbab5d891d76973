import Diagnostics
import Platform

/// nanoGPT's `train.bin`: little-endian 16-bit tokens and nothing else.
final class NanoGPTWriter: TokenSink {
    private let file: AtomicFile

    init(_ path: String) throws(Failure) { file = try AtomicFile(path) }

    func append(_ tokens: Span<UInt16>) throws(Failure) { try file.append(tokens) }

    func endDocument(hash: UInt64) {}

    func finish(_ metadata: TokenFileMetadata) throws(Failure) { try file.commit() }
}
