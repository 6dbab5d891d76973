import Configuration
import Data
import Diagnostics
import Foundation
import Testing
import Tokenizers

/// Corpora for weights that exist already: their tokenizer decides.
@Suite struct GivenTokenizerTests {
    private let folder: TemporaryFolder
    private let merges: any Tokenizer

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("the cat and the hat, the cat and the hat", to: "a.txt")
        merges = try readTokenizer(Array("#version: 0.2\nt h\nth e\n".utf8), from: "merges")
    }

    private func open(_ setting: TokenizerChoice, given tokenizer: (any Tokenizer)?, train: String = "a.txt") throws
        -> (corpus: Corpus, lines: [String])
    {
        var lines: [String] = []
        let settings = DataConfiguration(train: [folder(train)], tokenizer: setting)
        try Corpus.prepare(
            settings: settings, directory: folder("run"),
            tokenizer: tokenizer.map { GivenTokenizer($0, of: "the checkpoint") }
        ) { lines.append($0) }
        return (try Corpus.open(settings: settings, directory: folder("run")), lines)
    }

    @Test(arguments: [TokenizerChoice.automatic, .bytePairs(vocabularySize: 259)])
    func aSettingThatNamesNoTokenizerStandsForTheGivenOne(setting: TokenizerChoice) throws {
        let (corpus, lines) = try open(setting, given: merges)
        #expect(corpus.tokenizer.identity == merges.identity)
        #expect(lines.contains { $0.contains("stands for the tokenizer of the checkpoint") })
        let again = try open(setting, given: merges).lines
        #expect(again.contains { $0.hasPrefix("using ") })
    }

    @Test func tokensOfLearnedMergesAreUsedAgainAndOthersAreNot() throws {
        let learned = try open(.bytePairs(vocabularySize: 259), given: nil).corpus.tokenizer
        #expect(learned.identity != merges.identity)
        let again = try open(.bytePairs(vocabularySize: 259), given: learned)
        #expect(again.lines.contains { $0.hasPrefix("using ") })
        let other = try open(.bytePairs(vocabularySize: 259), given: merges)
        #expect(other.corpus.tokenizer.identity == merges.identity)
        // A run that begins anew learns again.
        #expect(try open(.bytePairs(vocabularySize: 259), given: nil).corpus.tokenizer.identity == learned.identity)
    }

    @Test("a tokenizer outlives the file that it was read from, under the same setting alone") func goneFile() throws {
        let setting = TokenizerChoice.file(folder("gone.txt")), other = TokenizerChoice.file(folder("elsewhere.txt"))
        let given = GivenTokenizer(merges, of: "the checkpoint", madeBy: setting)
        var lines: [String] = []
        let settings = DataConfiguration(train: [folder("a.txt")], tokenizer: setting)
        try Corpus.prepare(settings: settings, directory: folder("run"), tokenizer: given) { lines.append($0) }
        #expect(try Corpus.open(settings: settings, directory: folder("run")).tokenizer.identity == merges.identity)
        #expect(lines.contains("data.tokenizer `\(setting)` stands for the tokenizer of the checkpoint"))
        #expect(failure { try given.requireAgreement(with: other) }?.status == .noInput)
        #expect(failure { try GivenTokenizer(merges, of: "x").requireAgreement(with: setting) }?.status == .noInput)
        // One that is there and has changed is refused as before.
        try folder.write("#version: 0.2\nh e\nt he\n", to: "gone.txt")
        #expect(failure { try given.requireAgreement(with: setting) }?.status == .configuration)
    }

    @Test func anotherTokenizerIsRefused() throws {
        try folder.write("#version: 0.2\nh e\nt he\n", to: "other.txt")
        for setting in [.bytes, .bytePairs(vocabularySize: 260), .file(folder("other.txt"))] as [TokenizerChoice] {
            let refusal = failure { _ = try open(setting, given: merges) }
            #expect(refusal?.status == .configuration && refusal?.message.contains("the checkpoint") == true)
            #expect(refusal?.message.contains("`\(setting)`") == true)
        }
        try folder.write("#version: 0.2\nt h\nth e\n", to: "same.txt")
        #expect(try open(.file(folder("same.txt")), given: merges).corpus.tokenizer.identity == merges.identity)
    }

    @Test func tokensWithoutATokenizerStayRefused() throws {
        _ = try tokenizeFiles(
            [folder("a.txt")], tokenizer: .bytes, output: folder("a.bin"), format: .llmc, report: silent)
        let refusal = failure { _ = try open(.automatic, given: ByteTokenizer(), train: "a.bin") }
        #expect(refusal?.message.contains("holds tokens and no tokenizer") == true)
        #expect(try open(.bytes, given: ByteTokenizer(), train: "a.bin").corpus.train[0].count > 0)
    }

    @Test func dataAreKnownByTheirTextAlone() throws {
        let first = DataIdentity(of: try open(.bytes, given: nil).corpus.train[0])
        #expect(DataIdentity(first.description) == first && first.tokens == 41 && first.bytes == 40)
        try folder.write("the cat and the hat, the cat and the hat", to: "b.txt")
        #expect(DataIdentity(of: try open(.bytes, given: nil, train: "b.txt").corpus.train[0]) == first)
        // One letter, the same size.
        try folder.write("the cat and the hat, the cat and the hut", to: "c.txt")
        let other = DataIdentity(of: try open(.bytes, given: nil, train: "c.txt").corpus.train[0])
        #expect(other.digest != first.digest && other.tokens == first.tokens)
        for text in ["", "41 tokens", "x tokens, 40 bytes, digest 0", "41 tokens, 40 bytes, digest"] {
            #expect(DataIdentity(text) == nil)
        }
    }
}
