import Configuration
import Diagnostics
import Tokenizers

/// The files of all sources of training.
extension [PreparedFile] {
    /// Makes those files that are not there already, with one tokenizer for all: that of a token file among them, or the one that
    /// `choice` asks for, learned from the texts of all sources if it is learned.
    func make(_ choice: TokenizerChoice, threads: Int, report: (String) -> Void) throws(Failure) -> any Tokenizer {
        let setting = try ResolvedTokenizer(choice)
        let tokenizer: any Tokenizer
        if let own = first(where: { !$0.isMade }) {
            let file = try own.open()
            try setting.requireAgreement(with: file)
            tokenizer = file.tokenizer
        } else if let learned = try learnedTokenizer(setting) {
            tokenizer = learned
        } else {
            for file in self { try file.requireMeaning(under: choice) }
            var texts: [TextFile] = []
            for file in self { texts += try file.files() }
            tokenizer = try setting.tokenizer(trainedOn: texts, threads: threads, report: report)
        }
        let record: String? = if case .bytePairs = setting { setting.record } else { nil }
        for file in self {
            try file.make(tokenizer, named: "data.train", learnedFor: record, threads: threads, report: report)
        }
        return tokenizer
    }

    /// The tokenizer that an earlier job learned from the texts as they are now; nil if there is none, or none was to be learned.
    private func learnedTokenizer(_ setting: ResolvedTokenizer) throws(Failure) -> (any Tokenizer)? {
        guard case .bytePairs = setting else { return nil }
        var learned: (any Tokenizer)?
        for prepared in self {
            guard try prepared.isPrepared(), let file = try? prepared.open(),
                file.metadata.tokenizerSetting == setting.record,
                learned.map({ $0.identity == file.tokenizer.identity }) ?? true
            else { return nil }
            learned = file.tokenizer
        }
        return learned
    }
}
