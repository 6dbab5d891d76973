import Diagnostics
import Platform

/// llm.c's token file: 256 32-bit words (the magic number 20240520, version 1, the number of tokens, zeros), then
/// little-endian 16-bit tokens.
final class LLMCWriter: TokenSink {
    private let file: AtomicFile
    private var tokenCount = 0

    init(_ path: String) throws(Failure) {
        file = try AtomicFile(path)
        try file.append(Self.header(tokenCount: 0).span)
    }

    private static func header(tokenCount: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        for word: Int32 in [20_240_520, 1, tokenCount] { Data.append(word, to: &bytes) }
        return bytes + [UInt8](repeating: 0, count: 1024 - bytes.count)
    }

    func append(_ tokens: Span<UInt16>) throws(Failure) {
        try file.append(tokens)
        tokenCount += tokens.count
    }

    func endDocument(hash: UInt64) {}

    func finish(_ metadata: TokenFileMetadata) throws(Failure) {
        guard let count = Int32(exactly: tokenCount) else {
            throw Failure(
                .data, "\(file.path): llm.c's header counts at most \(Int32.max) tokens, these are \(tokenCount)",
                advice: "tokenize the texts into several files")
        }
        try file.overwrite(at: 0, with: Self.header(tokenCount: count).span)
        try file.commit()
    }
}
