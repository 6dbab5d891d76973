import Configuration
import Diagnostics
import Platform
import Tokenizers

/// A tokenizer setting with its files read.
enum ResolvedTokenizer {
    /// `isAsked` is false if nothing was asked for and bytes are the default.
    case known(any Tokenizer, isAsked: Bool)
    case bytePairs(vocabularySize: Int)

    init(_ setting: TokenizerChoice) throws(Failure) {
        switch setting {
        case .automatic: self = .known(ByteTokenizer(), isAsked: false)
        case .bytes: self = .known(ByteTokenizer(), isAsked: true)
        case .bytePairs(let size): self = .bytePairs(vocabularySize: size)
        case .file(let path, let documentToken):
            try Self.requireFile(path)
            self = .known(try readTokenizer(inFile: path, documentToken: documentToken), isAsked: true)
        }
    }

    /// Other software knows tokenizers by name, and fetches them.
    private static func requireFile(_ path: String) throws(Failure) {
        guard !path.contains("/"), !fileExists(path) else { return }
        let isGPT2 = ["gpt2", "gpt-2", "r50k_base", "p50k_base"].contains(path.lowercased())
        throw Failure(
            .noInput, "the tokenizer `\(path)` is neither `auto`, `byte` or `bpe N` nor a file that is there",
            advice: isGPT2
                ? "`scripts/get-gpt2-merges` downloads GPT-2's merges; then give the name of their file"
                : "tokenizers are not fetched by name: give a tokenizer.json, a file of merges (merges.txt, vocab.bpe) or a token file"
        )
    }

    var vocabularySize: Int {
        switch self {
        case .known(let tokenizer, _): tokenizer.vocabularySize
        case .bytePairs(let size): size
        }
    }

    /// Names how a token file is made, to tell whether one that is there is still right.
    var record: String {
        switch self {
        case .known(let tokenizer, _): "identity \(tokenizer.identity)"
        case .bytePairs(let size): "bpe \(size)"
        }
    }

    /// - Throws: `data` if the corpus has too little to learn from
    func tokenizer(trainedOn files: [TextFile], threads: Int, report: (String) -> Void) throws(Failure)
        -> any Tokenizer
    {
        switch self {
        case .known(let tokenizer, _):
            if let summary = (tokenizer as? BytePairTokenizer)?.summary { report("tokenizer: \(summary)") }
            return tokenizer
        case .bytePairs(let size):
            return try trainBytePairs(on: files, vocabularySize: size, threads: threads, report: report)
        }
    }

    /// - Throws: `data` if `file` was made with another tokenizer than was asked for
    func requireAgreement(with file: TokenFile) throws(Failure) {
        switch self {
        case .known(let tokenizer, isAsked: true):
            try file.requireTokenizer(of: tokenizer, named: "data.tokenizer")
        case .known(_, isAsked: false): break
        case .bytePairs(let size):
            guard file.metadata.tokenizerSetting != record else { return }
            throw Failure(
                .data,
                "\(file.path) was not made with the tokenizer `bpe \(size)` but `\(file.metadata.tokenizerSetting)`",
                advice: "leave data.tokenizer out: a token file carries its tokenizer")
        }
    }
}
