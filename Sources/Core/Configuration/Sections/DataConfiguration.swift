package import Diagnostics
import Platform

/// The block `data` of a configuration.
package struct DataConfiguration: Sendable, Equatable {
    /// What training text consists of; not empty.
    package var train: [DataSource]
    package var validation: ValidationSplit
    package var tokenizer: TokenizerChoice
    /// The field of JSON lines, or the column of Parquet files, that holds the texts; `a.b` leads into an object or a struct. Nil for
    /// the first of the usual names that a file has.
    package var textField: String?
    /// Whether attention and positions end at the borders of documents.
    package var documentMask: Bool

    package init(
        train: [DataSource], validation: ValidationSplit = .none, tokenizer: TokenizerChoice = .automatic,
        textField: String? = nil, documentMask: Bool = false
    ) {
        self.train = train
        self.validation = validation
        self.tokenizer = tokenizer
        self.textField = textField
        self.documentMask = documentMask
    }

    package init(_ section: ConfigurationSection) throws(Failure) {
        train = try DataSource.list(in: section)
        let validation = try section.filePaths("validation", default: ["none"])
        do {
            self.validation = try ValidationSplit(validation)
        } catch {
            throw section.failure("validation", error.message, advice: error.advice)
        }
        let tokenizer = try section.filePath("tokenizer", default: "auto")
        let documentToken = try section.text("document_token", default: "auto")
        do {
            self.tokenizer = try TokenizerChoice(tokenizer, documentToken: documentToken)
        } catch {
            throw section.failure("tokenizer", error.message, advice: error.advice)
        }
        documentMask = try section.boolean("document_mask", default: false)
        let field = try section.text("text_field", default: "auto")
        do {
            textField = try Self.namedTextField(field)
        } catch {
            throw section.failure("text_field", error.message, advice: error.advice)
        }
    }

    /// The field that `text` names; nil for `auto`.
    /// - Throws: `configuration` if it names nothing
    package static func namedTextField(_ text: String) throws(Failure) -> String? {
        guard !text.isEmpty else {
            throw Failure(.configuration, "is empty", advice: "name the field or column, or leave it out for `text`")
        }
        return text == "auto" ? nil : text
    }
}

/// Which part of the corpus is kept from training.
package enum ValidationSplit: Sendable, Equatable {
    case none
    /// The documents whose digest falls into the lowest `share` of all digests: the same documents wherever they stand,
    /// and identical documents on one side.
    case hash(fraction: Double)
    /// The last `share` of the tokens.
    case tail(share: Double)
    /// Other files.
    case files([String])

    /// - Parameter texts: `none`, `hash 0.01`, `tail 0.1` or paths
    package init(_ texts: [String]) throws(Failure) {
        guard !texts.isEmpty, texts != ["none"] else {
            self = .none
            return
        }
        let words = texts[0].split(separator: " ").map(String.init)
        guard texts.count == 1, let kind = words.first, kind == "hash" || kind == "tail" else {
            self = .files(texts)
            return
        }
        guard words.count == 2, let share = Double(words[1]), share > 0, share < 1 else {
            throw Failure(
                .configuration, "is `\(texts[0])`; `\(kind)` needs a share between 0 and 1",
                advice: "for example `\(kind) 0.05`; a file of that name is `./\(texts[0])`")
        }
        self = kind == "hash" ? .hash(fraction: share) : .tail(share: share)
    }
}

/// Where the tokenizer comes from.
package enum TokenizerChoice: Sendable, Equatable, CustomStringConvertible {
    /// The one that the token file carries; bytes for texts.
    case automatic
    case bytes
    /// Byte-pair merges learned from the corpus.
    case bytePairs(vocabularySize: Int)
    /// A `tokenizer.json`, a file of merges, or a token file, which carries its tokenizer; and the content of the token that ends
    /// documents, if it was named.
    case file(String, documentToken: String? = nil)

    /// - Parameters:
    ///   - text: `auto`, `byte`, `bpe 4096` or a path
    ///   - documentToken: `auto`, or the content of the token of that file that ends documents
    package init(_ text: String, documentToken: String = "auto") throws(Failure) {
        try self.init(text)
        guard documentToken != "auto" else { return }
        guard case .file(let path, _) = self, !documentToken.isEmpty else {
            throw Failure(
                .configuration, "is `\(text)`, to which the document token `\(documentToken)` cannot belong",
                advice: "only with a tokenizer.json can the token that ends documents be named")
        }
        self = .file(path, documentToken: documentToken)
    }

    private init(_ text: String) throws(Failure) {
        let words = text.split(separator: " ").map(String.init)
        switch words.first {
        case "auto" where words.count == 1: self = .automatic
        case "byte" where words.count == 1: self = .bytes
        case "bpe":
            let allowed = 257...largestVocabulary
            guard words.count == 2, let size = Int(words[1].replacing("_", with: "")), allowed.contains(size) else {
                throw Failure(
                    .configuration, "is `\(text)`; `bpe` needs a vocabulary size from 257 to \(largestVocabulary)",
                    advice: "for example `bpe 4096`")
            }
            self = .bytePairs(vocabularySize: size)
        case nil: throw Failure(.configuration, "is empty; allowed are `byte`, `bpe 4096` or a file of merges")
        default: self = .file(text)
        }
    }

    package var description: String {
        switch self {
        case .automatic: "auto"
        case .bytes: "byte"
        case .bytePairs(let size): "bpe \(size)"
        case .file(let path, _): path
        }
    }
}
