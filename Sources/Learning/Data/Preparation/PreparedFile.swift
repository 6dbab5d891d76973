import Configuration
import Diagnostics
import Platform
import Tokenizers

/// One side of a corpus: a token file that the user named, or one made from the user's texts in the run's directory.
struct PreparedFile {
    /// Where the tokens are or will be.
    let path: String
    private let directory: String
    /// Nil if the user's own token file is used.
    private let texts: [String]?
    /// The field that holds the texts; nil if none was named.
    private let textField: String?

    init(
        _ paths: [String], textField: String?, in directory: String, as name: String, key: String
    ) throws(Failure) {
        self.directory = directory
        self.textField = textField
        let tokenFiles = paths.filter(TokenFile.isTokenFile)
        guard let own = tokenFiles.first else {
            path = "\(directory)/\(name).tokens"
            texts = paths
            return
        }
        guard paths.count == 1 else {
            throw Failure(
                .configuration, "\(key) names the token file \(own) and \(paths.count - 1) more",
                advice: "a token file stands alone; `switchyard tokenize` makes one file of many texts")
        }
        path = own
        texts = nil
    }

    /// Whether preparing writes the file.
    var isMade: Bool { texts != nil }

    func open() throws(Failure) -> TokenFile { try TokenFile(path) }

    /// Makes the file with a given tokenizer, if it is not there already.
    /// - Parameters:
    ///   - name: where the tokenizer comes from, for messages
    ///   - setting: what it was learned for, as `TokenFileMetadata.tokenizerSetting` has it; nil: it was not learned
    func make(
        _ tokenizer: any Tokenizer, named name: String, learnedFor setting: String? = nil, threads: Int,
        report: (String) -> Void
    ) throws(Failure) {
        guard let texts else {
            let file = try TokenFile(path)
            try file.verify()
            try file.requireTokenizer(of: tokenizer, named: name)
            return
        }
        let files = try list(texts, report)
        // However that tokenizer was asked for: learned merges are the same ones in a run that goes on.
        let isReusable = isReusable(files, report: report) {
            $0.tokenizer.identity == tokenizer.identity
                && $0.metadata.tokenizerSetting == setting ?? $0.metadata.tokenizerSetting
        }
        guard !isReusable else { return }
        try write(files, with: tokenizer, madeWith: setting ?? "identity \(tokenizer.identity)", threads, report)
    }

    /// The texts that the file is made from; none for a token file of the user's own.
    func files() throws(Failure) -> [TextFile] {
        guard let texts else { return [] }
        return try listTexts(at: texts, textField: textField).files
    }

    private func list(_ texts: [String], _ report: (String) -> Void) throws(Failure) -> [TextFile] {
        let listing = try listTexts(at: texts, textField: textField)
        listing.reportSkipped(report)
        return listing.files
    }

    /// The bytes of text that this file is made from, or more than `most` if they are more; 0 for a token file of the user's own.
    func bytesOfText(upTo most: Int) throws(Failure) -> Int {
        var total = 0
        for file in try files() where total <= most {
            total += try file.bytesOfText(upTo: most - total)
        }
        return total
    }

    /// Whether the file is there and was made from the texts as they are now.
    func isPrepared() throws(Failure) -> Bool {
        guard isMade else { return true }
        guard let file = try? open() else { return false }
        return try file.metadata.sources == files()
    }

    /// - Throws: `configuration` if some of the texts are tokens already and `setting` does not say what they mean
    func requireMeaning(under setting: TokenizerChoice) throws(Failure) {
        switch setting {
        case .bytes, .file: return
        case .automatic, .bytePairs: break
        }
        guard let file = try files().first(where: \.holdsTokens) else { return }
        throw Failure(
            .configuration, "\(file.path) holds tokens and no tokenizer",
            advice: "name the tokenizer they were made with: `byte`, or a file of merges")
    }

    /// Whether an earlier job left the file, made from the same texts with the right tokenizer, and it is whole.
    private func isReusable(
        _ files: [TextFile], report: (String) -> Void, hasRightTokenizer: (TokenFile) -> Bool
    ) -> Bool {
        guard fileExists(path) else { return false }
        do throws(Failure) {
            let file = try TokenFile(path)
            guard file.metadata.sources == files, hasRightTokenizer(file) else {
                report("\(path) was made from other texts or with another tokenizer: making it again")
                return false
            }
            try file.verify()
            report("using \(path): \(file.tokenCount) tokens of \(file.documentCount) documents")
            return true
        } catch {
            report("\(error.message): making it again")
            return false
        }
    }

    private func write(
        _ files: [TextFile], with tokenizer: any Tokenizer, madeWith record: String, _ threads: Int,
        _ report: (String) -> Void
    ) throws(Failure) {
        try makeDirectory(directory)
        let summary = try Tokenization(files: files, tokenizer: tokenizer, setting: record, threads: threads)
            .write(to: path, report: report)
        report(
            "tokenized \(decimals(Double(summary.bytes) / 1e6, 1)) MB into \(summary.tokens) tokens of \(summary.documents) "
                + "documents: \(path)")
    }
}
