import Diagnostics
import Platform

/// llm.c's token file: 256 32-bit words (a magic number, a version, the number of tokens, zeros), then little-endian tokens.
/// The magic number is 20240520 and the version 1 for tokens of 16 bits (llm.c's GPT-2), 20240801 and 7 for 32 (its Llama 3).
struct LLMCWriter: TokenFileForm {
    let headerBytes = 1024

    func complete(_ stream: TokenStream, _ metadata: TokenFileMetadata) throws(Failure) {
        guard let count = Int32(exactly: stream.tokenCount) else {
            throw Failure(
                .data,
                "\(stream.file.path): llm.c's header counts at most \(Int32.max) tokens, these are \(stream.tokenCount)",
                advice: "tokenize the texts into several files")
        }
        var header: [UInt8] = []
        for word: Int32 in (stream.width == .two ? [20_240_520, 1] : [20_240_801, 7]) + [count] {
            append(word, to: &header)
        }
        try stream.file.overwrite(at: 0, with: header.span)
    }
}
