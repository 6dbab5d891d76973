package import Diagnostics
import JSON
import Platform

/// Hugging Face's `tokenizer.json`: a byte-level BPE with one of the patterns of `PreTokenPattern`. Everything that would give other
/// tokens is refused by name; what a `post_processor` adds around a text is left out.
package enum HuggingFaceTokenizerFile: TokenizerFormat {
    /// Bytes of the file: the largest vocabularies in use need a quarter of it.
    private static let limit = 1 << 26

    /// What stands in every such file: a line of merges may begin with a brace, too.
    private static let members = ["model", "added_tokens", "pre_tokenizer", "vocab"].map { Array("\"\($0)\"".utf8) }

    /// An object with one of these members.
    package static func recognizes(_ file: Span<UInt8>) -> Bool {
        var place = file.count >= 3 && file[0] == 0xEF && file[1] == 0xBB && file[2] == 0xBF ? 3 : 0
        while place < file.count, [0x20, 0x09, 0x0A, 0x0D].contains(file[place]) { place += 1 }
        guard place < file.count, file[place] == UInt8(ascii: "{") else { return false }
        return members.contains { member in
            (place..<max(place, file.count - member.count + 1)).contains { start in
                file[start] == member[0] && member.indices.allSatisfy { file[start + $0] == member[$0] }
            }
        }
    }

    package static func read(_ file: Span<UInt8>, from source: TokenizerSource) throws(Failure) -> any Tokenizer {
        guard file.count <= limit else {
            throw Failure(.data, "\(source.name) is longer than the \(limit) bytes that such a file may have")
        }
        let json = file.withPlainLineEnds
        let contents: HuggingFaceTokenizer
        do throws(Failure) {
            contents = try JSONFile.decode(json, as: HuggingFaceTokenizer.self, from: source.name)
        } catch {
            try requireModel(json, source.name)
            throw error
        }
        try contents.requireBytePairs(source.name)
        if contents.model.byte_fallback == true {
            let ids = ExactMembers.integers(in: json, at: ["model", "vocab"])
            return try BytePairTokenizer(contents.characterVocabulary(ids, source), from: source.name)
        }
        let vocabulary = try contents.vocabulary(source)
        if let tokenizer = vocabulary.inGPT2Form() { return tokenizer }
        return try BytePairTokenizer(vocabulary, from: source.name)
    }
}

extension HuggingFaceTokenizerFile {
    /// Other models have other members, and would otherwise be refused for one that they lack.
    private static func requireModel(_ json: [UInt8], _ name: String) throws(Failure) {
        struct Kind: Decodable {
            struct Model: Decodable { var type: String? }
            var model: Model?
        }
        guard let model = try JSONFile.decode(json, as: Kind.self, from: name).model else {
            throw Failure(
                .data, "\(name) has no `model`, which a tokenizer.json has",
                advice: "name the tokenizer.json itself, not the tokenizer_config.json or vocab.json beside it")
        }
        guard let type = model.type, type != "BPE" else { return }
        throw HuggingFaceTokenizer.unsupported("model.type \(type)", name)
    }
}

/// The members of a `tokenizer.json` that decide tokens.
struct HuggingFaceTokenizer: Decodable {
    struct Added: Decodable {
        var id: Int
        var content: String
        var special: Bool?
        var single_word: Bool?
        var lstrip: Bool?
        var rstrip: Bool?
        var normalized: Bool?
    }

    struct Model: Decodable {
        var type: String?
        var vocab: [String: Int]
        var merges: [Merge]
        var byte_fallback: Bool?
        var ignore_merges: Bool?
        var dropout: Double?
        var continuing_subword_prefix: String?
        var end_of_word_suffix: String?
    }

    /// `"a b"` up to version 0.19 of the library, `["a", "b"]` from 0.20 on.
    struct Merge: Decodable {
        var left: String
        var right: String

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            let words: [String]
            if let line = try? value.decode(String.self) {
                words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            } else {
                words = try value.decode([String].self)
            }
            guard words.count == 2 else {
                throw DecodingError.dataCorruptedError(in: value, debugDescription: "a merge is not of two tokens")
            }
            (left, right) = (words[0], words[1])
        }
    }

    var added_tokens: [Added]?
    var normalizer: JSONValue?
    var pre_tokenizer: JSONValue?
    var post_processor: JSONValue?
    var model: Model

    /// - Throws: `data`, naming what is not supported
    func vocabulary(_ source: TokenizerSource) throws(Failure) -> BytePairVocabulary {
        let name = source.name
        let added = try addedTokens(name)
        var vocabulary = BytePairVocabulary(
            pattern: try pattern(name), isNormalized: try isNormalized(name),
            takesWholeWords: model.ignore_merges ?? false, spellings: try spellings(name), added: added,
            merges: .listed([]), documentToken: 0)
        vocabulary.documentToken = try DocumentToken.id(among: added, source)
        vocabulary.merges = .listed(try merges(name))
        vocabulary.hasPostProcessor = addsTokens
        try vocabulary.requireOwnIDs(name)
        return vocabulary
    }

    func requireBytePairs(_ name: String) throws(Failure) {
        let complaints = [
            (model.type ?? "BPE") == "BPE" ? nil : "model.type \(model.type ?? "")",
            (model.dropout ?? 0) == 0 ? nil : "dropout",
            (model.continuing_subword_prefix ?? "").isEmpty ? nil : "continuing_subword_prefix",
            (model.end_of_word_suffix ?? "").isEmpty ? nil : "end_of_word_suffix",
        ]
        if let found = complaints.compactMap({ $0 }).first { throw Self.unsupported(found, name) }
    }

    static func unsupported(_ what: String, _ name: String) -> Failure {
        Failure(
            .data, "\(name): \(what.prefix(200)) is not supported",
            advice:
                "supported is byte-level BPE with the patterns of GPT-2, Llama 3, Qwen 2 and o200k, and BPE with byte "
                + "fallback (docs/token-files.md)")
    }

    func addedTokens(_ name: String) throws(Failure) -> [AddedToken] {
        var tokens: [AddedToken] = [], normalized: Set<Bool> = []
        for token in added_tokens ?? [] {
            guard 0...BytePairVocabulary.largestID ~= token.id else {
                throw Failure(
                    .data, "\(name): the id \(token.id) of `\(token.content.prefix(80))` is beyond all bounds")
            }
            let isSpecial = token.special ?? false
            tokens.append(AddedToken(id: token.id, content: token.content, isSpecial: isSpecial))
            guard !isSpecial else { continue }
            normalized.insert(token.normalized ?? true)
            guard token.single_word != true, token.lstrip != true, token.rstrip != true else {
                throw Self.unsupported("the added token `\(token.content)` with single_word, lstrip or rstrip", name)
            }
        }
        let changesText = !(normalizer == nil || normalizer == .null)
        guard normalized.count < 2, !(changesText && normalized.contains(true)) else {
            throw Self.unsupported("an added token that is not special and has `normalized: true`", name)
        }
        guard Set(tokens.map(\.id)).count == tokens.count, Set(tokens.map(\.content)).count == tokens.count else {
            throw Failure(.data, "\(name): two added_tokens have the same id or content")
        }
        return tokens
    }

    private func spellings(_ name: String) throws(Failure) -> [[UInt8]?] {
        let printable = PrintableBytes(), added = Set((added_tokens ?? []).map(\.content))
        var spellings = [[UInt8]?](repeating: nil, count: 1 + (try largestID(of: model.vocab.values, name)))
        for (text, id) in model.vocab {
            guard let bytes = printable.bytes(of: text[...]), !bytes.isEmpty else {
                if added.contains(text) { continue }
                throw Failure(
                    .data, "\(name): the token `\(text.prefix(80))` has a character that stands for no byte",
                    advice: "byte-level vocabularies spell bytes as GPT-2 does")
            }
            guard spellings[id] == nil else { throw Failure(.data, "\(name): two tokens have the id \(id)") }
            spellings[id] = bytes
        }
        return spellings
    }

    func largestID(of ids: some Collection<Int>, _ name: String) throws(Failure) -> Int {
        guard let least = ids.min(), let largest = ids.max(), least >= 0, largest <= BytePairVocabulary.largestID else {
            throw Failure(
                .data,
                "\(name): model.vocab is empty, or has ids that are not from 0 to \(BytePairVocabulary.largestID)")
        }
        return largest
    }

    private func merges(_ name: String) throws(Failure) -> [TokenPair] {
        var pairs: [TokenPair] = []
        for (index, merge) in model.merges.enumerated() {
            guard let left = model.vocab[merge.left], let right = model.vocab[merge.right] else {
                let unknown = model.vocab[merge.left] == nil ? merge.left : merge.right
                throw Failure(
                    .data, "\(name): merge \(index) is of `\(unknown.prefix(80))`, which is not in model.vocab")
            }
            pairs.append(TokenPair(left: UInt32(left), right: UInt32(right)))
        }
        return pairs
    }
}
