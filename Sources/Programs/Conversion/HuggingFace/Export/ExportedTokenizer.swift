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
        let texts = self.texts
        let ids = try ids(of: texts)
        // A vocabulary that lists every token lists the end of text, too.
        let listed = ids.merging(vocabulary.documentToken == texts.count ? [documentToken: texts.count] : [:]) { $1 }
        let merges = vocabulary.listedMerges.map { [texts[$0.left] ?? "", texts[$0.right] ?? ""] }
        return try JSONFile.encode(
            TokenizerJSON(
                added_tokens: vocabulary.added.map(TokenizerJSON.Added.init),
                normalizer: normalizer, pre_tokenizer: preTokenizer,
                decoder: vocabulary.metaspace == nil ? Self.byteLevel(cutsWords: true) : MetaspaceJSON.decoder,
                model: TokenizerJSON.Model(
                    byte_fallback: vocabulary.metaspace != nil, fuse_unk: vocabulary.metaspace != nil,
                    unk_token: vocabulary.metaspace != nil && ids["<unk>"] != nil ? "<unk>" : nil,
                    ignore_merges: vocabulary.takesWholeWords, vocab: listed, merges: merges)))
    }

    /// How the vocabulary spells each id; nil for an id without a token.
    private var texts: [String?] {
        guard let metaspace = vocabulary.metaspace else {
            let printable = PrintableBytes()
            return vocabulary.spellings.map { $0.map(printable.text) }
        }
        return vocabulary.spellings.enumerated().map { id, spelling in
            guard !metaspace.byteTokens.contains(id) else {
                return Metaspace.nameOfByte(id - metaspace.byteTokens.lowerBound)
            }
            return spelling.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// - Throws: `data` if two tokens are equal to Swift, of which the file would hold one
    private func ids(of texts: [String?]) throws(Failure) -> [String: Int] {
        var ids: [String: Int] = [:]
        for (id, text) in texts.enumerated() {
            guard let text else { continue }
            guard ids.updateValue(id, forKey: text) == nil else {
                throw Failure(
                    .data,
                    "the tokenizer has the token `\(text)` in two forms that Unicode holds for equal: it cannot be written",
                    advice: "convert to a directory with the tokenizer.json that it was read from")
            }
        }
        return ids
    }

    private var normalizer: JSONValue? {
        if vocabulary.metaspace?.prependsAlways == true { return MetaspaceJSON.normalizer }
        return vocabulary.isNormalized ? .object(["type": .text("NFC")]) : nil
    }

    private var preTokenizer: JSONValue? {
        guard let metaspace = vocabulary.metaspace else { return Self.preTokenizer(vocabulary.pattern) }
        return metaspace.prependsAlways ? nil : MetaspaceJSON.preTokenizer
    }

    private static func preTokenizer(_ pattern: PreTokenPattern) -> JSONValue? {
        let steps: [JSONValue]
        switch pattern {
        case .metaspace: return nil
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

    private static func byteLevel(cutsWords: Bool) -> JSONValue {
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
        var byte_fallback: Bool
        var fuse_unk: Bool
        var unk_token: String?
        var ignore_merges: Bool
        var vocab: [String: Int]
        var merges: [[String]]
    }

    var version = "1.0"
    var added_tokens: [Added]
    var normalizer: JSONValue?
    var pre_tokenizer: JSONValue?
    var decoder: JSONValue
    var model: Model
}
