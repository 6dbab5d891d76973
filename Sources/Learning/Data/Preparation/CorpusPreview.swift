package import Configuration
package import Diagnostics
import Platform

extension Corpus {
    /// Bytes of text that a preview tokenizes; what is more would take long.
    private static let mostText = 1 << 24

    /// The corpus that `prepare` and `open` would give, by these two: in a directory for the purpose, which is removed again.
    /// Nil if there is more text than that takes seconds, and nothing in `directory` was made from it yet.
    ///
    /// - Parameters:
    ///   - directory: where `prepare` would put token files; nothing is written there
    ///   - scratch: a folder for the time of the call
    ///   - check: looks at the corpus while its files are there
    /// - Throws: what `prepare`, `open` and `check` throw, with the names that the files will have
    package static func preview(
        settings: DataConfiguration, directory: String, tokenizer given: GivenTokenizer?, scratch: String,
        check: (Corpus) throws(Failure) -> Void
    ) throws(Failure) -> Corpus? {
        let files = try settings.preparedFiles(in: directory)
        let sides = files.train + [files.validation].compactMap(\.self)
        var text = 0
        for side in sides where text <= mostText { text += try side.bytesOfText(upTo: mostText - text) }
        guard text <= mostText else {
            for side in sides where try !side.isPrepared() { return nil }
            return try checked(open(settings: settings, directory: directory), check)
        }
        let folder = try makeUniqueDirectory(in: scratch, prefix: "switchyard-check-")
        defer { try? removeTree(folder) }
        do throws(Failure) {
            if text > 0 {
                try prepare(settings: settings, directory: folder, tokenizer: given) { _ in }
            } else if let given {
                try given.requireAgreement(with: settings)
            } else {
                // What `prepare` does, but for reading every token.
                for file in files.train {
                    try ResolvedTokenizer(settings.tokenizer).requireAgreement(with: file.open())
                }
            }
            return try checked(open(settings: settings, directory: folder), check)
        } catch {
            throw Failure(
                error.status, error.message.replacing(folder, with: directory),
                advice: error.advice?.replacing(folder, with: directory))
        }
    }

    private static func checked(_ corpus: Corpus, _ check: (Corpus) throws(Failure) -> Void) throws(Failure) -> Corpus {
        try check(corpus)
        return corpus
    }
}
