package import Diagnostics
import JSON
package import Tokenizers

/// A tokenizer of ours in the words of Hugging Face's `tokenizers`: byte-level BPE, without merges for bytes.
package struct ExportedTokenizer {
    private let vocabulary: BytePairVocabulary
    private let context: Int

    /// - Throws: `data` if what the tokenizer stores of itself cannot be read
    package init(_ tokenizer: any Tokenizer, context: Int) throws(Failure) {
        vocabulary = try BytePairVocabulary(of: tokenizer)
        self.context = context
    }

    /// `tokenizer.json`
    package func json() throws(Failure) -> [UInt8] {
        let printable = PrintableBytes()
        let texts = vocabulary.spellings.map { $0.map(printable.text) }
        var ids: [String: Int] = [:]
        for (id, text) in texts.enumerated() { if let text { ids[text] = id } }
        // A vocabulary that lists every token lists the end of text, too.
        if vocabulary.documentToken == texts.count { ids[documentToken] = texts.count }
        let merges = vocabulary.listedMerges.map { [texts[$0.left] ?? "", texts[$0.right] ?? ""] }
        return try JSONFile.encode(
            TokenizerJSON(
                added_tokens: vocabulary.added.map(TokenizerJSON.Added.init),
                normalizer: vocabulary.isNormalized ? ["type": "NFC"] : nil,
                pre_tokenizer: Self.preTokenizer(vocabulary.pattern),
                model: TokenizerJSON.Model(
                    ignore_merges: vocabulary.takesWholeWords, vocab: ids, merges: merges)))
    }

    private static func preTokenizer(_ pattern: PreTokenPattern) -> JSONValue {
        let steps: [JSONValue]
        switch pattern {
        case .gpt2: return byteLevel(cutsWords: true)
        case .gpt2Digit, .gpt2Digits:
            let digits: [String: JSONValue] = [
                "type": .text("Digits"), "individual_digits": .boolean(pattern == .gpt2Digit),
            ]
            steps = [.object(digits), byteLevel(cutsWords: true)]
        case .llama3, .cl100k, .qwen2, .o200k:
            let split: [String: JSONValue] = [
                "type": .text("Split"), "behavior": .text("Isolated"), "invert": .boolean(false),
                "pattern": .object(["Regex": .text(pattern.onigurumaExpression)]),
            ]
            steps = [.object(split), byteLevel(cutsWords: false)]
        }
        return .object(["type": .text("Sequence"), "pretokenizers": .list(steps)])
    }

    fileprivate static func byteLevel(cutsWords: Bool) -> JSONValue {
        .object([
            "type": .text("ByteLevel"), "add_prefix_space": .boolean(false), "trim_offsets": .boolean(true),
            "use_regex": .boolean(cutsWords),
        ])
    }

    private var documentToken: String {
        vocabulary.added.first { $0.id == vocabulary.documentToken }?.content ?? ""
    }

    /// `tokenizer_config.json`
    package func settings() throws(Failure) -> [UInt8] {
        struct Settings: Encodable {
            var tokenizer_class = "PreTrainedTokenizerFast"
            var bos_token: String
            var eos_token: String
            var pad_token: String
            var clean_up_tokenization_spaces = false
            var model_max_length: Int
        }
        let end = documentToken
        return try JSONFile.encode(
            Settings(bos_token: end, eos_token: end, pad_token: end, model_max_length: context))
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
        var special: Bool

        init(_ token: AddedToken) { (id, content, special) = (token.id, token.content, token.isSpecial) }
    }

    struct Model: Encodable {
        var type = "BPE"
        var byte_fallback = false
        var fuse_unk = false
        var ignore_merges: Bool
        var vocab: [String: Int]
        var merges: [[String]]
    }

    var version = "1.0"
    var added_tokens: [Added]
    var normalizer: [String: String]?
    var pre_tokenizer: JSONValue
    var decoder = ExportedTokenizer.byteLevel(cutsWords: true)
    var model: Model
}
