import Diagnostics
import Tokenizers

/// The token files that `switchyard tokenize` writes.
package enum TokenFormat: String, Sendable, CaseIterable {
    /// docs/token-files.md
    case switchyard
    /// llm.c: 256 32-bit words of header, then 16-bit tokens.
    case llmc
    /// nanoGPT: 16-bit tokens and nothing else.
    case nanogpt
    /// Megatron: `NAME.bin` with the tokens, `NAME.idx` with the sequences.
    case megatron

    /// What is written for the name `path`.
    func files(of path: String) -> [String] {
        self == .megatron ? ForeignTokenFile.parts(of: path) : [path]
    }

    func makeSink(_ path: String, tokenizer: any Tokenizer) throws(Failure) -> any TokenSink {
        switch self {
        case .switchyard: try TokenFileWriter(path, tokenizer: tokenizer)
        case .llmc: try LLMCWriter(path)
        case .nanogpt: try NanoGPTWriter(path)
        case .megatron: try MegatronWriter(path)
        }
    }
}
