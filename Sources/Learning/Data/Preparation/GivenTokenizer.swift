package import Configuration
package import Diagnostics
import Platform
package import Tokenizers

/// A tokenizer that texts must be tokenized with because something was trained with it, and what that was.
package struct GivenTokenizer: Sendable {
    package let tokenizer: any Tokenizer
    /// For messages: a checkpoint, a key.
    package let source: String
    /// The setting that it was first made by, where that is known.
    private let origin: TokenizerChoice?

    package init(_ tokenizer: any Tokenizer, of source: String, madeBy origin: TokenizerChoice? = nil) {
        self.tokenizer = tokenizer
        self.source = source
        self.origin = origin
    }

    /// `auto` stands for the given tokenizer, and so does `bpe N` if it has N entries: merges are not learned again. A file that it was
    /// read from need not be there any more.
    /// - Throws: `configuration` if `setting` asks for another tokenizer, `noInput` or `data` if its file cannot be read
    package func requireAgreement(with setting: TokenizerChoice) throws(Failure) {
        guard !outlives(setting) else { return }
        let asked: String
        switch try ResolvedTokenizer(setting) {
        case .known(let other, isAsked: true) where other.identity != tokenizer.identity:
            asked = "\(other.identity) with \(other.vocabularySize) entries"
        case .bytePairs(let size) where size != tokenizer.vocabularySize: asked = "one with \(size) entries"
        case .known, .bytePairs: return
        }
        throw Failure(
            .configuration,
            "data.tokenizer `\(setting)` is another tokenizer (\(asked)) than that of \(source) "
                + "(\(tokenizer.identity) with \(tokenizer.vocabularySize) entries)",
            advice: "weights mean nothing under another tokenizer: restore the file, or leave data.tokenizer out, "
                + "which stands for the checkpoint's")
    }

    /// Whether `setting` alone could have given another tokenizer.
    func decides(_ setting: TokenizerChoice) -> Bool {
        switch setting {
        case .bytePairs: true
        case .automatic: tokenizer.identity != ByteTokenizer().identity
        case .bytes: false
        case .file: outlives(setting)
        }
    }

    /// Whether it was read from the file that `setting` names, and the file is gone.
    private func outlives(_ setting: TokenizerChoice) -> Bool {
        guard case .file(let path, _) = setting, setting == origin else { return false }
        return !fileExists(path)
    }

    /// As above, and if `data.train` is a token file, its tokens must be of this tokenizer, too.
    package func requireAgreement(with data: DataConfiguration) throws(Failure) {
        try requireAgreement(with: data.tokenizer)
        for path in data.sides.compactMap(\.paths.first) where TokenFile.isTokenFile(path) {
            try TokenFile(path).requireTokenizer(of: tokenizer, named: source)
        }
    }
}
