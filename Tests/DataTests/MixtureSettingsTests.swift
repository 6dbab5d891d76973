import Configuration
import Data
import Diagnostics
import Foundation
import Testing
import Tokenizers

@Suite("Settings and files of mixtures") struct MixtureSettingsTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("abab abab abab", to: "a.txt")
        try folder.write("cdcd cdcd cdcd cdcd", to: "b.txt")
    }

    private func settings(_ train: String, more: String = "") throws(Failure) -> DataConfiguration {
        let document = try ConfigurationDocument(
            yaml: "data:\n  train: \(train)\n\(more)", file: "test.yaml")
        return try DataConfiguration(document.section("data"))
    }

    private func prepare(_ settings: DataConfiguration) throws -> [String] {
        var said: [String] = []
        try Corpus.prepare(settings: settings, directory: folder("run")) { said.append($0) }
        return said
    }

    private func two(_ tokenizer: TokenizerChoice = .automatic, _ validation: ValidationSplit = .none)
        -> DataConfiguration
    {
        DataConfiguration(
            train: [DataSource(paths: [folder("a.txt")]), DataSource(paths: [folder("b.txt")])],
            validation: validation, tokenizer: tokenizer)
    }

    @Test("sources have weights or epochs") func sources() throws {
        #expect(
            try settings("[{paths: [a, b], weight: 0.7}, {paths: c, weight: 3, repeat: true}]").train == [
                DataSource(paths: ["a", "b"], amount: .weight(0.7, repeats: false)),
                DataSource(paths: ["c"], amount: .weight(3, repeats: true)),
            ])
        #expect(
            try settings("[{paths: a, epochs: 1.5}]").train == [DataSource(paths: ["a"], amount: .epochs(1.5))])
        #expect(try settings("[a, b]").train == [DataSource(paths: ["a", "b"], amount: .weight(1, repeats: true))])
    }

    @Test("what is read is what is stored") func stored() throws {
        for train in [
            "[{paths: [a, b], weight: 0.7}, {paths: c, weight: 3, repeat: true}]", "[{paths: a, epochs: 2}]", "[a, b]",
        ] {
            let document = try ConfigurationDocument(yaml: "data:\n  train: \(train)\n", file: "x")
            let section = try document.section("data"), first = try DataConfiguration(section)
            let again = try ConfigurationDocument(yaml: document.resolved, file: "x")
            #expect(try DataConfiguration(again.section("data")) == first)
        }
    }

    @Test(
        "what makes no mixture is refused with the source and what to do",
        arguments: [
            ("[{paths: a, weight: 0}]", "`data.train[0].weight` is 0.0; allowed", "leave out a source"),
            ("[{paths: a, weight: 1}, {paths: b, weight: -1}]", "`data.train[1].weight` is -1.0", "leave out a source"),
            ("[{paths: a, weight: .nan}]", "`data.train[0].weight` must be a number, but is `.nan`", nil),
            ("[{paths: a, epochs: 0}]", "`data.train[0].epochs` is 0.0; allowed", "leave out a source"),
            ("[{paths: a, weight: 1, epochs: 1}]", "stands beside `epochs`", "give one of the two"),
            ("[{path: a, weight: 1}]", "is unknown", "did you mean `paths`?"),
            ("[{paths: a}]", "neither a weight nor epochs", "give one of the two"),
            (
                "[{paths: a, epochs: 1, repeat: true}]", "`data.train[0].repeat` stands beside `epochs`",
                "leave repeat out"
            ),
            (
                "[{paths: a, weight: 1}, {paths: b, epochs: 1}]", "a weight to some sources and epochs to others",
                "all of"
            ),
            ("[{paths: a, weight: 1}, {paths: [b, a], weight: 1}]", "names `a` twice", "name it once"),
            ("[{paths: a, weight: 1}, b]", "its entry 2 is none", "for example"),
            ("[{paths: [], weight: 1}]", "names no file", nil),
            ("[{weight: 1}]", "`data.train[0].paths` is missing", nil),
            ("[{paths: a, wieght: 1, weight: 1}]", "`data.train[0].wieght` is unknown", "did you mean `weight`?"),
        ] as [(String, String, String?)])
    func refusals(train: String, message: String, advice: String?) throws {
        let refused = try #require(failure { _ = try settings(train) })
        #expect(refused.status == .configuration && refused.message.contains(message), "\(refused.message)")
        if let advice { #expect(refused.advice?.contains(advice) == true, "\(refused.advice ?? "none")") }
    }

    @Test("one tokenizer is learned from all sources, and each is tokenized once") func oneTokenizer() throws {
        let settings = two(.bytePairs(vocabularySize: 261))
        #expect(try prepare(settings).count { $0.hasPrefix("tokenized") } == 2)
        let corpus = try Corpus.open(settings: settings, directory: folder("run"))
        // `ab` is in one source, `cd` in the other.
        #expect((0..<256).allSatisfy { corpus.tokenizer.byteCount(of: $0) == 1 })
        let merged = (256..<260).map { corpus.tokenizer.bytes(of: $0) }
        #expect(merged.contains { $0.starts(with: "ab".utf8) } && merged.contains { $0.starts(with: "cd".utf8) })
        #expect(corpus.train.map(\.tokenizer.identity) == [corpus.tokenizer.identity, corpus.tokenizer.identity])
        #expect(try prepare(settings).count { $0.hasPrefix("using ") } == 2)
        try folder.write("cdcd cdcd cdcd cdcd.", to: "b.txt")
        let said = try prepare(settings)
        #expect(said.count { $0.hasPrefix("using ") } == 1 && said.count { $0.hasPrefix("tokenized") } == 1)
    }

    @Test("a token file among the sources decides the tokenizer of the texts; another one is refused") func tokenFiles()
        throws
    {
        for (name, size) in [("x", 258), ("y", 259)] {
            _ = try tokenizeFiles(
                [folder("a.txt")], tokenizer: .bytePairs(vocabularySize: size), output: folder("\(name).tokens"),
                format: .switchyard, report: silent)
        }
        func settings(_ paths: String...) -> DataConfiguration {
            DataConfiguration(train: paths.map { DataSource(paths: [folder($0)]) })
        }
        let mixed = settings("b.txt", "x.tokens")
        _ = try prepare(mixed)
        #expect(try Corpus.open(settings: mixed, directory: folder("run")).tokenizer.vocabularySize == 258)
        let refused = try #require(failure { _ = try prepare(settings("x.tokens", "y.tokens")) })
        #expect(refused.status == .data && refused.message.contains("y.tokens was made with tokenizer"))
        #expect(refused.message.contains("vocabulary 259") && refused.message.contains("vocabulary 258"))
    }

    @Test("a file in two sources, and a source without text, are refused") func badSources() throws {
        var settings = two()
        settings.train[1].paths = [folder("*.txt")]
        for refused in [failure { _ = try prepare(settings) }, failure { _ = try settings.requireFiles() }] {
            #expect(refused?.status == .configuration)
            #expect(refused?.message.contains("data.train[0] and data.train[1] both read \(folder("a.txt"))") == true)
        }
        try FileManager.default.createSymbolicLink(atPath: folder("linked.txt"), withDestinationPath: folder("a.txt"))
        try FileManager.default.linkItem(atPath: folder("a.txt"), toPath: folder("again.txt"))
        for name in ["linked.txt", "again.txt"] {
            let sources = [folder("a.txt"), folder(name)].map {
                DataSource(paths: [$0], amount: .weight(1, repeats: true))
            }
            let refused = failure { _ = try DataConfiguration(train: sources).requireFiles() }
            #expect(refused?.message.contains("\(folder(name)), which is also \(folder("a.txt"))") == true)
        }
        try folder.write("", to: "b.txt")
        for refused in [failure { _ = try prepare(two()) }, failure { _ = try two().requireFiles() }] {
            #expect(refused?.status == .data && refused?.message.contains("no text in \(folder("b.txt"))") == true)
        }
    }

    @Test("each source is divided for validation") func validation() throws {
        let settings = two(.bytes, .tail(share: 0.2))
        _ = try prepare(settings)
        let corpus = try Corpus.open(settings: settings, directory: folder("run"))
        #expect(corpus.train.map(\.count) == [12, 16] && corpus.validation.map(\.count) == [3, 4])
        let one = failure { _ = try prepare(two(.bytes, .hash(fraction: 0.5))) }
        #expect(one?.message.contains("train-1.tokens: it is one document") == true)
    }
}
