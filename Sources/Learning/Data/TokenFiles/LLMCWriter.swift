import Diagnostics
import Platform

/// llm.c's token file: 256 32-bit words (a magic number, a version, the number of tokens, zeros), then little-endian tokens.
/// The magic number is 20240520 and the version 1 for tokens of 16 bits (llm.c's GPT-2), 20240801 and 7 for 32 (its Llama 3).
final class LLMCWriter: TokenSink {
    private let file: AtomicFile
    private let width: TokenWidth
    private var tokenCount = 0

    init(_ path: String, _ width: TokenWidth) throws(Failure) {
        file = try AtomicFile(path)
        self.width = width
        try file.append(header(tokenCount: 0).span)
    }

    private func header(tokenCount: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        for word: Int32 in (width == .two ? [20_240_520, 1] : [20_240_801, 7]) + [tokenCount] {
            Data.append(word, to: &bytes)
        }
        return bytes + [UInt8](repeating: 0, count: 1024 - bytes.count)
    }

    func append(_ tokens: Span<UInt32>) throws(Failure) {
        try file.append(tokens, in: width)
        tokenCount += tokens.count
    }

    func endDocument(hash: UInt64) {}

    func finish(_ metadata: TokenFileMetadata) throws(Failure) {
        guard let count = Int32(exactly: tokenCount) else {
            throw Failure(
                .data, "\(file.path): llm.c's header counts at most \(Int32.max) tokens, these are \(tokenCount)",
                advice: "tokenize the texts into several files")
        }
        try file.overwrite(at: 0, with: header(tokenCount: count).span)
        try file.commit()
    }
}
