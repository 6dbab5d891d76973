import Diagnostics
import Foundation
import JSON
import Platform

/// Finds the added token that ends a document: files of tokenizers do not say which it is.
enum DocumentToken {
    /// What base models were trained with between documents.
    private static let known = [
        "<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<|eot|>", "<｜end▁of▁sentence｜>",
    ]

    /// The one that was named, otherwise the one that has a known name, otherwise `eos_token` of the `tokenizer_config.json`
    /// beside the file.
    /// - Throws: `data` if none is found, or two have known names and no file decides
    static func id(among added: [AddedToken], _ source: TokenizerSource) throws(Failure) -> Int {
        guard case .file(let path, let named) = source else { return added.last?.id ?? 0 }
        if let named { return try id(of: named, among: added, path) }
        let found = added.filter { known.contains($0.content) }
        if found.count == 1 { return found[0].id }
        if let name = try endOfSequence(beside: path) {
            if let token = added.first(where: { $0.content == name }) { return token.id }
            throw Failure(
                .data,
                "\(path) has no added token `\(name.prefix(80))`, which the tokenizer_config.json beside it names as "
                    + "eos_token",
                advice: "name the token that ends a document: data.document_token or --document-token")
        }
        let names = added.filter(\.isSpecial).prefix(8).map { "`\($0.content)`" }.joined(separator: ", ")
        throw Failure(
            .data,
            "\(path) does not say which token ends a document"
                + (names.isEmpty ? ", and has no special tokens" : "; its special tokens are \(names)"),
            advice: "name it as data.document_token or --document-token, or put tokenizer_config.json beside the file")
    }

    private static func id(of name: String, among added: [AddedToken], _ path: String) throws(Failure) -> Int {
        if let token = added.first(where: { $0.content == name }) { return token.id }
        throw Failure(
            .configuration, "\(path) has no added token `\(name.prefix(80))` that could end a document",
            advice: "data.document_token names one of its added_tokens")
    }

    private static func endOfSequence(beside path: String) throws(Failure) -> String? {
        struct Settings: Decodable { var eos_token: JSONValue? }
        let parent = splitPath(path).parent, settings = (parent.isEmpty ? "." : parent) + "/tokenizer_config.json"
        guard fileExists(settings) else { return nil }
        let contents = try JSONFile.read(settings, limit: 1 << 26)
        switch try JSONFile.decode(contents, as: Settings.self, from: settings).eos_token {
        case .text(let name): return name
        case .object(let members):
            guard case .text(let name) = members["content"] else { return nil }
            return name
        default: return nil
        }
    }
}
