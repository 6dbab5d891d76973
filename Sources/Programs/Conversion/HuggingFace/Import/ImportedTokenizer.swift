import Configuration
import Data
package import Diagnostics
import Foundation
import Platform
package import Tokenizers

/// Reads a `tokenizer.json` that gives the tokens of one of our tokenizers: bytes, or GPT-2's byte-level BPE.
package enum ImportedTokenizer {
    /// Bytes of the file: 65,536 tokens need a tenth of it.
    private static let limit = 1 << 26

    /// - Returns: nil if the directory has no such file
    package static func read(in directory: String) throws(Failure) -> (any Tokenizer)? {
        let path = "\(directory)/tokenizer.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try tokenizer(json: try JSONFile.read(path, limit: limit), path: path)
    }

    /// - Throws: `data`, naming what our tokenizers do not do
    package static func tokenizer(json: [UInt8], path: String) throws(Failure) -> any Tokenizer {
        let file = try JSONFile.decode(json, as: File.self, from: path)
        try requireByteLevel(file, path)
        let tokenizer: any Tokenizer =
            file.model.merges.isEmpty
            ? ByteTokenizer() : try readTokenizer(Array(file.mergesFile.utf8), from: "\(path), merges")
        try compare(file, tokenizer, path)
        return tokenizer
    }

    private static func requireByteLevel(_ file: File, _ path: String) throws(Failure) {
        let complaints = [
            (file.model.type ?? "BPE") == "BPE" ? nil : "model.type \(file.model.type ?? "")",
            file.normalizer == nil || file.normalizer == .null ? nil : "a normalizer",
            file.pre_tokenizer?.type == "ByteLevel" ? nil : "a pre_tokenizer other than ByteLevel",
            file.pre_tokenizer?.add_prefix_space == true ? "add_prefix_space" : nil,
            file.pre_tokenizer?.use_regex == false ? "a ByteLevel without GPT-2's cut into words" : nil,
            file.model.byte_fallback == true ? "byte_fallback" : nil,
            file.model.ignore_merges == true ? "ignore_merges" : nil,
            (file.model.dropout ?? 0) == 0 ? nil : "dropout",
            (file.model.continuing_subword_prefix ?? "").isEmpty ? nil : "continuing_subword_prefix",
            (file.model.end_of_word_suffix ?? "").isEmpty ? nil : "end_of_word_suffix",
        ]
        if let found = complaints.compactMap({ $0 }).first {
            throw Failure(
                .data, "\(path): \(found.prefix(80)) is not supported",
                advice: "GPT-2's byte-level BPE is; say --tokenizer FILE if the same tokens exist in another form")
        }
    }

    private static let paddingTokens = ["<pad>", "[PAD]", "<|pad|>", "<|padding|>", "<|PAD_TOKEN|>"]

    /// Every id must be the one that the merges give, because files of tokens hold ids.
    private static func compare(_ file: File, _ tokenizer: any Tokenizer, _ path: String) throws(Failure) {
        let printable = PrintableBytes()
        var expected: [String: Int] = [:]
        for token in 0..<tokenizer.endOfText { expected[printable.text(of: tokenizer.bytes(of: token))] = token }
        var found = file.model.vocab
        for added in file.added_tokens ?? [] { found[added.content] = added.id }
        for (text, id) in expected where found.removeValue(forKey: text) != id {
            throw Failure(
                .data, "\(path): the token `\(text.prefix(80))` does not have the id \(id) that its merge gives it",
                advice: "ids must be 0–255 for the bytes and then the merges in order")
        }
        // They fill up batches elsewhere and stand in no text.
        for name in paddingTokens where (found[name] ?? -1) > tokenizer.endOfText { found[name] = nil }
        guard found.count == 1, found.first?.value == tokenizer.endOfText else {
            let others = found.keys.sorted().prefix(3).map { "`\($0.prefix(80))`" }.joined(separator: ", ")
            throw Failure(
                .data,
                "\(path): one token more was expected, the end of text with the id \(tokenizer.endOfText), not "
                    + (others.isEmpty ? "none" : others))
        }
    }

    /// What decides ids; other parts decorate.
    private struct File: Decodable {
        struct Added: Decodable {
            var id: Int
            var content: String
        }

        struct PreTokenizer: Decodable {
            var type: String
            var add_prefix_space: Bool?
            var use_regex: Bool?
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

        var added_tokens: [Added]?
        var normalizer: JSONValue?
        var pre_tokenizer: PreTokenizer?
        var model: Model

        /// As GPT-2 writes it.
        var mergesFile: String { "#version: 0.2\n" + model.merges.map { $0.line + "\n" }.joined() }
    }

    /// `"a b"` up to version 0.19 of the library, `["a", "b"]` from 0.20 on.
    private struct Merge: Decodable {
        var line: String

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let pair = try? value.decode([String].self) {
                line = pair.joined(separator: " ")
            } else {
                line = try value.decode(String.self)
            }
        }
    }
}
