import Configuration
import Diagnostics
import Tokenizers

/// The tokens and documents of a file, of ours or of another trainer's, with the tokenizer that gives them their meaning.
struct TokenContents {
    private enum Store {
        case own(TokenFile)
        case foreign(ForeignTokenFile)
    }

    private let store: Store
    let tokenizer: any Tokenizer
    let width: TokenWidth
    let count: Int
    /// Where each document ends, in tokens.
    let ends: [Int]
    /// Nil for another trainer's file.
    let metadata: TokenFileMetadata?

    /// - Throws: `usage` if a tokenizer is missing, or named for a file that has its own; `data` if the file is damaged
    init(_ path: String, tokenizer setting: TokenizerChoice?) throws(Failure) {
        self = try TokenFile.isTokenFile(path) ? Self(own: path, setting) : Self(foreign: path, setting)
    }

    private init(own path: String, _ setting: TokenizerChoice?) throws(Failure) {
        guard setting == nil else {
            throw Failure(
                .usage, "--tokenizer has no effect: \(path) has its tokenizer in it", advice: "leave --tokenizer out")
        }
        let file = try TokenFile(path)
        try file.verify()
        store = .own(file)
        (tokenizer, width, count) = (file.tokenizer, file.width, file.tokenCount)
        ends = (0..<file.documentCount).map { Int(file.document($0).end) }
        metadata = file.metadata
    }

    private init(foreign path: String, _ setting: TokenizerChoice?) throws(Failure) {
        guard let setting, case .known(let tokenizer, _) = try ResolvedTokenizer(setting) else {
            throw Failure(
                .usage, "\(path) does not say which tokenizer made it",
                advice: "name it: --tokenizer byte, a file of merges, or a token file for its tokenizer")
        }
        let file = try ForeignTokenFile(path, vocabularySize: tokenizer.vocabularySize)
        store = .foreign(file)
        (self.tokenizer, width, count) = (tokenizer, file.width, file.count)
        var documents = ForeignDocuments(of: file, endOfText: tokenizer.endOfText)
        ends = (0..<file.count).filter { documents.ends(with: file.token($0), at: $0) }.map { $0 + 1 }
        metadata = nil
    }

    /// - Throws: `data` at a token outside the vocabulary
    func forEachToken(_ body: (Int) -> Void) throws(Failure) {
        switch store {
        case .own(let file): for position in 0..<count { body(file[position]) }
        case .foreign(let file):
            for position in 0..<count {
                let token = file.token(position)
                guard (0..<tokenizer.vocabularySize).contains(token) else {
                    throw file.outsideVocabulary(token, at: position, size: tokenizer.vocabularySize)
                }
                body(token)
            }
        }
    }

    func tokens(_ range: Range<Int>) -> [Int] {
        switch store {
        case .own(let file): range.map { file[$0] }
        case .foreign(let file): range.map { file.token($0) }
        }
    }
}
