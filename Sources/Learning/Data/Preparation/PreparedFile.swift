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

    /// Makes the file with the tokenizer that `setting` asks for, if it is not there already.
    /// - Returns: the file's tokenizer
    func make(_ setting: TokenizerChoice, report: (String) -> Void) throws(Failure) -> any Tokenizer {
        let setting = try ResolvedTokenizer(setting)
        guard let texts else {
            let file = try TokenFile(path)
            try file.verify()
            try setting.requireAgreement(with: file)
            return file.tokenizer
        }
        let files = try list(texts, report)
        let reusable = reusable(files, report: report) { $0.metadata.tokenizerSetting == setting.record }
        if let reusable { return reusable.tokenizer }
        let tokenizer = try setting.tokenizer(trainedOn: files, report: report)
        try write(files, with: tokenizer, madeWith: setting.record, report: report)
        return tokenizer
    }

    /// Makes the file with a given tokenizer, if it is not there already.
    /// - Parameter name: where the tokenizer comes from, for messages
    func make(_ tokenizer: any Tokenizer, named name: String, report: (String) -> Void) throws(Failure) {
        guard let texts else {
            let file = try TokenFile(path)
            try file.verify()
            try file.requireTokenizer(of: tokenizer, named: name)
            return
        }
        let files = try list(texts, report)
        // However that tokenizer was asked for: learned merges are the same ones in a run that goes on.
        let reusable = reusable(files, report: report) { $0.tokenizer.identity == tokenizer.identity }
        guard reusable == nil else { return }
        try write(files, with: tokenizer, madeWith: "identity \(tokenizer.identity)", report: report)
    }

    private func list(_ texts: [String], _ report: (String) -> Void) throws(Failure) -> [TextFile] {
        let listing = try listTexts(at: texts, textField: textField)
        listing.reportSkipped(report)
        return listing.files
    }

    /// The bytes of text that this file is made from, or more than `most` if they are more; 0 for a token file of the user's own.
    func bytesOfText(upTo most: Int) throws(Failure) -> Int {
        guard let texts else { return 0 }
        var total = 0
        for file in try listTexts(at: texts, textField: textField).files where total <= most {
            total += try file.bytesOfText(upTo: most - total)
        }
        return total
    }

    /// Whether the file is there and was made from the texts as they are now.
    func isPrepared() throws(Failure) -> Bool {
        guard let texts else { return true }
        guard let file = try? open() else { return false }
        return try file.metadata.sources == listTexts(at: texts, textField: textField).files
    }

    /// - Throws: `configuration` if some of the texts are tokens already and `setting` does not say what they mean
    func requireMeaning(under setting: TokenizerChoice) throws(Failure) {
        guard let texts else { return }
        try ResolvedTokenizer(setting).requireMeaning(of: try listTexts(at: texts, textField: textField).files)
    }

    /// What an earlier job left, if it was made from the same texts with the right tokenizer and is whole.
    private func reusable(
        _ files: [TextFile], report: (String) -> Void, hasRightTokenizer: (TokenFile) -> Bool
    ) -> TokenFile? {
        guard fileExists(path) else { return nil }
        do throws(Failure) {
            let file = try TokenFile(path)
            guard file.metadata.sources == files, hasRightTokenizer(file) else {
                report("\(path) was made from other texts or with another tokenizer: making it again")
                return nil
            }
            try file.verify()
            report("using \(path): \(file.tokenCount) tokens of \(file.documentCount) documents")
            return file
        } catch {
            report("\(error.message): making it again")
            return nil
        }
    }

    private func write(
        _ files: [TextFile], with tokenizer: any Tokenizer, madeWith record: String, report: (String) -> Void
    ) throws(Failure) {
        try makeDirectory(directory)
        let writer = try TokenFileWriter(path, tokenizer: tokenizer)
        let summary = try tokenize(files, with: tokenizer, into: writer, report: report)
        try writer.finish(TokenFileMetadata(tokenizer: tokenizer, setting: record, sources: files))
        report(
            "tokenized \(decimals(Double(summary.bytes) / 1e6, 1)) MB into \(summary.tokens) tokens of \(summary.documents) "
                + "documents: \(path)")
    }
}
