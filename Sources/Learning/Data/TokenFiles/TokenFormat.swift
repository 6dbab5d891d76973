import Diagnostics
import Tokenizers

/// The token files that `switchyard tokenize` writes.
package enum TokenFormat: String, Sendable, CaseIterable {
    /// docs/token-files.md
    case switchyard
    /// llm.c: 256 32-bit words of header, then tokens.
    case llmc
    /// nanoGPT: tokens and nothing else.
    case nanogpt
    /// Megatron: `NAME.bin` with the tokens, `NAME.idx` with the sequences.
    case megatron

    /// What is written for the name `path`.
    func files(of path: String) -> [String] {
        self == .megatron ? ForeignTokenFile.parts(of: path) : [path]
    }

    /// - Parameter bits: of a token, as `requireBits` takes it
    func makeStream(_ path: String, tokenizer: any Tokenizer, bits: Int?) throws(Failure) -> TokenStream {
        let least = TokenWidth(ofVocabulary: tokenizer.vocabularySize)
        let width = bits.flatMap { TokenWidth(rawValue: $0 / 8) } ?? least
        let names = files(of: path)
        return switch self {
        case .switchyard: try TokenStream(path, width, SwitchyardWriter(tokenizer: tokenizer))
        case .llmc: try TokenStream(path, width, LLMCWriter())
        case .nanogpt: try TokenStream(path, width, NanoGPTWriter())
        case .megatron: try TokenStream(names[0], width, MegatronWriter(index: names[1]))
        }
    }

    /// - Parameter bits: of a token, 16 or 32; nil: 16 if the vocabulary has at most 65,536 entries, otherwise 32
    /// - Throws: `usage` if the format or a vocabulary of `size` entries does not allow them
    func requireBits(_ bits: Int?, vocabularySize size: Int) throws(Failure) {
        guard let bits else { return }
        guard [16, 32].contains(bits) else {
            throw Failure(.usage, "--token-bits is \(bits); allowed are 16 and 32")
        }
        guard self != .switchyard else {
            throw Failure(
                .usage, "--token-bits \(bits): the format `switchyard` stores tokens as wide as the vocabulary needs",
                advice: "leave --token-bits out, or name the format of another trainer")
        }
        guard bits == 32 || size <= 1 << 16 else {
            throw Failure(
                .usage, "--token-bits 16: the vocabulary has \(size) entries, 16 bits number at most 65536",
                advice: "leave --token-bits out, or set it to 32")
        }
    }
}
