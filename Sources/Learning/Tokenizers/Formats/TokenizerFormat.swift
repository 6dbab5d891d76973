package import Diagnostics

/// Where the text of a tokenizer comes from.
package enum TokenizerSource: Sendable {
    /// A file that a user named, and the content of the token that ends documents, if that was named.
    case file(String, documentToken: String? = nil)
    /// What Switchyard stored, in a checkpoint or a token file: a tokenizer's `serialized`.
    case stored(in: String)

    /// For messages.
    package var name: String {
        switch self {
        case .file(let path, _), .stored(let path): path
        }
    }
}

/// One format of files that tokenizers come in. docs/extending.md says how to add one.
package protocol TokenizerFormat: SendableMetatype {
    /// Whether the contents say that the file is of this format.
    static func recognizes(_ file: Span<UInt8>) -> Bool
    /// - Throws: `data` naming what is wrong, and the line
    static func read(_ file: Span<UInt8>, from source: TokenizerSource) throws(Failure) -> any Tokenizer
}

/// The formats of tokenizers' files.
package enum TokenizerCatalog {
    /// In the order in which they look at a file. The last one recognizes every file, and says what is wrong with it.
    static let formats: [any TokenizerFormat.Type] = [
        ByteTokenizerFile.self, StoredTokenizerFile.self, HuggingFaceTokenizerFile.self, TiktokenFile.self,
        MergesFile.self,
    ]

    /// The tokenizer in a file, by the first format that recognizes it; of every tokenizer its `serialized` is such a file.
    package static func read(_ file: Span<UInt8>, from source: TokenizerSource) throws(Failure) -> any Tokenizer {
        let format = formats.first { $0.recognizes(file) } ?? MergesFile.self
        if case .file(let path, .some(let token)) = source, format != HuggingFaceTokenizerFile.self {
            throw Failure(
                .configuration, "\(path) is no tokenizer.json whose documents could end with `\(token)`",
                advice: "leave data.document_token out: other tokenizers have one token for that")
        }
        return try format.read(file, from: source)
    }
}

extension Span<UInt8> {
    /// Without a byte order mark, and with a line feed alone at the end of every line: as a text editor shows it.
    var withPlainLineEnds: [UInt8] {
        let carriageReturn = UInt8(ascii: "\r"), feed = UInt8(ascii: "\n")
        let start = count >= 3 && self[0] == 0xEF && self[1] == 0xBB && self[2] == 0xBF ? 3 : 0
        return (start..<count).compactMap { place in
            let isPartOfEnd = self[place] == carriageReturn && (place + 1 == count || self[place + 1] == feed)
            return isPartOfEnd ? nil : self[place]
        }
    }
}
