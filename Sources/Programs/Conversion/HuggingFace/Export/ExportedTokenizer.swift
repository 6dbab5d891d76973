package import Diagnostics
package import Tokenizers

/// A tokenizer of ours in the words of Hugging Face's `tokenizers`: byte-level BPE, without merges for bytes.
package struct ExportedTokenizer {
    /// GPT-2's name for it.
    static let endOfText = "<|endoftext|>"
    private let tokenizer: any Tokenizer
    private let context: Int

    package init(_ tokenizer: any Tokenizer, context: Int) {
        self.tokenizer = tokenizer
        self.context = context
    }

    /// `tokenizer.json`
    package func json() throws(Failure) -> [UInt8] {
        let printable = PrintableBytes()
        var vocabulary: [String: Int] = [:]
        for token in 0..<tokenizer.endOfText { vocabulary[printable.text(of: tokenizer.bytes(of: token))] = token }
        // Without a special token the end of text would be missing from a vocabulary that lists every token.
        vocabulary[Self.endOfText] = tokenizer.endOfText
        return try JSONFile.encode(
            TokenizerJSON(
                added_tokens: [TokenizerJSON.Added(id: tokenizer.endOfText, content: Self.endOfText)],
                model: TokenizerJSON.Model(vocab: vocabulary, merges: merges)))
    }

    private var merges: [[String]] {
        guard tokenizer.serialized != ByteTokenizer.serialized else { return [] }
        return tokenizer.serialized.split(separator: "\n").dropFirst().map { $0.split(separator: " ").map(String.init) }
    }

    /// `tokenizer_config.json`
    package func settings() throws(Failure) -> [UInt8] {
        struct Settings: Encodable {
            var tokenizer_class = "PreTrainedTokenizerFast"
            var bos_token = ExportedTokenizer.endOfText
            var eos_token = ExportedTokenizer.endOfText
            var pad_token = ExportedTokenizer.endOfText
            var clean_up_tokenization_spaces = false
            var model_max_length: Int
        }
        return try JSONFile.encode(Settings(model_max_length: context))
    }
}

/// The parts of a `tokenizer.json` that a byte-level BPE fills.
private struct TokenizerJSON: Encodable {
    struct Added: Encodable {
        var id: Int
        var content: String
        var single_word = false
        var lstrip = false
        var rstrip = false
        var normalized = false
        var special = true
    }

    struct ByteLevel: Encodable {
        var type = "ByteLevel"
        var add_prefix_space = false
        var trim_offsets = true
        var use_regex = true
    }

    struct Model: Encodable {
        var type = "BPE"
        var byte_fallback = false
        var fuse_unk = false
        var ignore_merges = false
        var vocab: [String: Int]
        var merges: [[String]]
    }

    var version = "1.0"
    var added_tokens: [Added]
    var pre_tokenizer = ByteLevel()
    var decoder = ByteLevel()
    var model: Model
}
