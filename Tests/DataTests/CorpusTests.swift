import Configuration
import Data
import Diagnostics
import Platform
import Testing
import Tokenizers

@Suite struct CorpusTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Prepares and returns what was reported.
    private func prepare(_ settings: DataConfiguration) throws -> [String] {
        var lines: [String] = []
        try Corpus.prepare(settings: settings, directory: folder("run/data"), report: { lines.append($0) })
        return lines
    }

    private func open(_ settings: DataConfiguration) throws -> Corpus {
        try Corpus.open(settings: settings, directory: folder("run/data"))
    }

    @Test func textsAreTokenizedOnceUntilTheyChange() throws {
        let path = try folder.write("some text, some more text", to: "a.txt")
        var settings = DataConfiguration(
            train: [path], validation: .tail(share: 0.2), tokenizer: .bytePairs(vocabularySize: 260))
        #expect(try prepare(settings).last?.hasPrefix("tokenized 0.0 MB") == true)
        let first = try folder.read("run/data/train.tokens")
        settings.validation = .none
        #expect(try prepare(settings).map { $0.prefix(5) } == ["using"])
        #expect(try open(settings).tokenizer.vocabularySize == 260)

        try folder.write("some text, some more text, more", to: "a.txt")
        #expect(try prepare(settings).first?.contains("other texts") == true)
        #expect(try folder.read("run/data/train.tokens") != first)
        #expect(try open(settings).train[0].array.count > 5)

        settings.tokenizer = .bytes
        #expect(try prepare(settings).first?.contains("another tokenizer") == true)
        #expect(try open(settings).train[0].count == 32)

        var damaged = try folder.read("run/data/train.tokens")
        damaged[130] ^= 1
        try folder.write(damaged, to: "run/data/train.tokens")
        #expect(try prepare(settings).first?.contains("is damaged") == true)
        #expect(try prepare(settings).map { $0.prefix(5) } == ["using"])
    }

    @Test func validationFilesAreTokenizedWithTheTokenizerOfTraining() throws {
        let train = try folder.write("abab abab abab", to: "a.txt")
        let held = try folder.write("baba abab", to: "b.txt")
        let settings = DataConfiguration(
            train: [train], validation: .files([held]), tokenizer: .bytePairs(vocabularySize: 259))
        #expect(try prepare(settings).count == 2)
        #expect(try prepare(settings).allSatisfy { $0.hasPrefix("using") })
        let corpus = try open(settings)
        let validation = try #require(corpus.validation.first)
        #expect(validation.tokenizer.identity == corpus.tokenizer.identity)
        #expect(corpus.tokenizer.decode(validation.array) == Array("baba abab".utf8))
        #expect(corpus.train[0].count == corpus.train[0].file.tokenCount)
    }

    @Test func aTokenFileIsUsedInPlaceWithItsTokenizer() throws {
        let text = try folder.write("abab abab abab", to: "a.txt")
        let own = folder("own.tokens")
        _ = try tokenizeFiles(
            [text], tokenizer: .bytePairs(vocabularySize: 259), output: own, format: .switchyard,
            tokenizerOutput: folder("merges.txt"), report: silent)
        let settings = DataConfiguration(train: [own])
        #expect(try prepare(settings) == [])
        #expect(try open(settings).train[0].file.path == own)
        #expect(try open(settings).tokenizer.vocabularySize == 259)
        for agreed in [TokenizerChoice.bytePairs(vocabularySize: 259), .file(own), .file(folder("merges.txt"))] {
            #expect(try prepare(DataConfiguration(train: [own], tokenizer: agreed)) == [])
        }
        for other in [TokenizerChoice.bytes, .bytePairs(vocabularySize: 258)] {
            let refused = failure { _ = try prepare(DataConfiguration(train: [own], tokenizer: other)) }
            #expect(refused?.status == .data && refused?.message.contains("own.tokens") == true)
        }
        let mixed = failure { _ = try prepare(DataConfiguration(train: [own, text])) }
        #expect(mixed?.status == .configuration)
        var truncated = try folder.read("own.tokens")
        truncated.removeLast(9)
        try folder.write(truncated, to: "own.tokens")
        #expect(failure { _ = try prepare(settings) }?.message.contains("truncated") == true)
        #expect(failure { _ = try open(settings) }?.message.contains("truncated") == true)
    }

    @Test func evaluationTakesTextsOrTokenFilesOfTheModelsTokenizer() throws {
        let text = try folder.write("abab", to: "a.txt")
        _ = try tokenizeFiles(
            [text], tokenizer: .bytes, output: folder("own.tokens"), format: .switchyard, report: silent)
        for path in [text, folder("own.tokens")] {
            try Corpus.prepareEvaluation(of: [path], tokenizer: ByteTokenizer(), directory: folder("e"), report: silent)
            let dataset = try Corpus.openEvaluation(of: [path], tokenizer: ByteTokenizer(), directory: folder("e"))
            #expect(dataset.array == [97, 98, 97, 98, 256])
        }
        let other = try readTokenizer(Array("#version: 0.2\na b\n".utf8), from: "test")
        let refused = failure {
            try Corpus.prepareEvaluation(
                of: [folder("own.tokens")], tokenizer: other, directory: folder("e"), report: silent)
        }
        #expect(refused?.status == .data && refused?.message.contains("the model") == true)
    }

    @Test func anUnwritableDirectoryIsRefused() throws {
        let text = try folder.write("abc", to: "a.txt")
        let refused = failure {
            try Corpus.prepare(
                settings: DataConfiguration(train: [text]), directory: folder("a.txt/data"), report: silent)
        }
        #expect(refused?.status == .cannotCreate)
    }

    @Test func preparedBytesDoNotDependOnWhenOrWhere() throws {
        let text = try folder.write("the same text, the same bytes", to: "a.txt")
        let settings = DataConfiguration(train: [text], tokenizer: .bytePairs(vocabularySize: 262))
        for name in ["one", "two"] {
            try Corpus.prepare(settings: settings, directory: folder(name), report: silent)
        }
        #expect(try folder.read("one/train.tokens") == folder.read("two/train.tokens"))
    }
}

@Suite struct DataSettingsTests {
    private func settings(_ lines: String) throws -> DataConfiguration {
        let document = try ConfigurationDocument(yaml: "data:\n" + lines, file: "x.yaml")
        let settings = try DataConfiguration(document.section("data"))
        try document.refuseUnknownKeys()
        // What is written down with a run means the same again.
        let again = try ConfigurationDocument(yaml: document.resolved, file: "again.yaml")
        #expect(try DataConfiguration(again.section("data")) == settings)
        return settings
    }

    @Test func everyFormIsUnderstood() throws {
        #expect(try settings("  train: a.txt\n") == DataConfiguration(train: ["a.txt"]))
        let many = try settings("  train: [a, b]\n  validation: [c, d]\n  tokenizer: merges.txt\n")
        #expect(
            many
                == DataConfiguration(
                    train: ["a", "b"], validation: .files(["c", "d"]), tokenizer: .file("merges.txt")))
        let hash = try settings("  train: a\n  validation: hash 0.01\n  tokenizer: bpe 4096\n")
        #expect(
            hash
                == DataConfiguration(
                    train: ["a"], validation: .hash(fraction: 0.01), tokenizer: .bytePairs(vocabularySize: 4096)))
        let tail = try settings("  train: a\n  validation: tail 0.1\n  tokenizer: byte\n")
        #expect(tail == DataConfiguration(train: ["a"], validation: .tail(share: 0.1), tokenizer: .bytes))
        #expect(
            try settings("  train: a\n  validation: none\n  tokenizer: bpe 65_536\n").tokenizer.description
                == "bpe 65536")
        let field = try settings("  train: a\n  text_field: meta.text\n")
        #expect(field == DataConfiguration(train: ["a"], textField: "meta.text"))
        #expect(try settings("  train: a\n  text_field: auto\n").textField == nil)
        #expect(failure { _ = try settings("  train: a\n  text_field: \"\"\n") }?.status == .configuration)
        #expect(try settings("  train: a\n  validation: v.txt\n").validation == .files(["v.txt"]))
        #expect(try settings("  train: a\n  validation: ./tail 3\n").validation == .files(["./tail 3"]))
    }

    @Test(arguments: [
        ("  validation: none\n", "`data.train` is missing"), ("  train: []\n", "`data.train` names no file"),
        ("  train: a\n  validation: hash\n", "x.yaml:3: `data.validation` is `hash`"),
        ("  train: a\n  validation: tail 1\n", "needs a share between 0 and 1"),
        ("  train: a\n  validation: hash 0.0\n", "needs a share between 0 and 1"),
        ("  train: a\n  validation: hash nan\n", "needs a share between 0 and 1"),
        ("  train: a\n  tokenizer: bpe\n", "`data.tokenizer` is `bpe`"),
        ("  train: a\n  tokenizer: bpe 2147483648\n", "257 to 2147483647"),
        ("  train: a\n  tokenizer: bpe 256\n", "257 to 2147483647"),
        ("  train: a\n  tokenizer: \"\"\n", "is empty"),
        ("  train: a\n  tokenizr: byte\n", "unknown key `data.tokenizr`"),
    ])
    func nonsenseIsRefusedWithKeyAndReason(_ lines: String, _ complaint: String) {
        let refused = failure { _ = try settings(lines) }
        #expect(refused?.status == .configuration)
        #expect(refused?.message.contains(complaint) == true, "\(refused?.message ?? "accepted")")
    }
}
