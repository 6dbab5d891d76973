package import Configuration
package import Diagnostics
import Platform
package import Tokenizers

/// What `data` of a configuration names, tokenized: `prepare` makes it on one rank, `open` maps it on every rank.
package struct Corpus: Sendable {
    package let tokenizer: any Tokenizer
    /// Of each source of `data.train`.
    package let train: [TokenDataset]
    /// Held out of each source, or of other files; none if there is no validation.
    package let validation: [TokenDataset]

    /// Tokenizes what is not tokenized yet into `directory`, and verifies every bit of what is there already. Run it on
    /// one rank, before `open`.
    ///
    /// Texts are tokenized again only if their paths, sizes or times of change, the tokenizer or the file's format are
    /// not those recorded in `directory`. A token file in `data.train` or `data.validation` is used where it is.
    /// - Parameters:
    ///   - directory: for `train.tokens` (of several sources `train-1.tokens` and so on) and `validation.tokens`; made if missing
    ///   - given: what `settings.tokenizer` must agree with and stands for; nil: it decides alone
    ///   - threads: that tokenize; the files do not depend on them
    ///   - report: takes lines of progress
    /// - Throws: `configuration` if `settings` asks for another tokenizer than the given one
    package static func prepare(
        settings: DataConfiguration, directory: String, tokenizer given: GivenTokenizer? = nil,
        threads: Int = Processors.count, report: (String) -> Void
    ) throws(Failure) {
        try settings.requireDistinctTexts()
        let (train, validation) = try settings.preparedFiles(in: directory)
        let tokenizer: any Tokenizer
        if let given {
            try given.requireAgreement(with: settings)
            for file in train { try file.requireMeaning(under: settings.tokenizer) }
            if given.decides(settings.tokenizer) {
                report("data.tokenizer `\(settings.tokenizer)` stands for the tokenizer of \(given.source)")
            }
            for file in train {
                try file.make(given.tokenizer, named: given.source, threads: threads, report: report)
            }
            tokenizer = given.tokenizer
        } else {
            tokenizer = try train.make(settings.tokenizer, threads: threads, report: report)
        }
        for file in train { _ = try file.open().split(settings.validation) }
        try validation?.make(tokenizer, named: "data.train", threads: threads, report: report)
    }

    /// Maps what `prepare` made.
    package static func open(settings: DataConfiguration, directory: String) throws(Failure) -> Corpus {
        let files = try settings.preparedFiles(in: directory)
        var train: [TokenDataset] = [], validation: [TokenDataset] = []
        for prepared in files.train {
            let file = try prepared.open()
            if let first = train.first { try file.requireTokenizer(of: first.tokenizer, named: first.file.path) }
            let parts = try file.split(settings.validation)
            train.append(parts.train)
            if let part = parts.validation { validation.append(part) }
        }
        let tokenizer = train[0].tokenizer
        if let file = try files.validation?.open() {
            try file.requireTokenizer(of: tokenizer, named: "data.train")
            validation = [TokenDataset(file)]
        }
        return Corpus(tokenizer: tokenizer, train: train, validation: validation)
    }

    /// As `prepare`, for texts or a token file to evaluate with a model's `tokenizer`: makes `evaluation.tokens`.
    package static func prepareEvaluation(
        of paths: [String], textField: String? = nil, tokenizer: any Tokenizer, directory: String,
        threads: Int = Processors.count, report: (String) -> Void
    ) throws(Failure) {
        let file = try PreparedFile(paths, textField: textField, in: directory, as: "evaluation", key: "--data")
        try file.make(tokenizer, named: "the model", threads: threads, report: report)
    }

    /// Maps what `prepareEvaluation` made.
    package static func openEvaluation(
        of paths: [String], tokenizer: any Tokenizer, directory: String
    ) throws(Failure) -> TokenDataset {
        let file = try PreparedFile(paths, textField: nil, in: directory, as: "evaluation", key: "--data").open()
        try file.requireTokenizer(of: tokenizer, named: "the model")
        return TokenDataset(file)
    }
}
