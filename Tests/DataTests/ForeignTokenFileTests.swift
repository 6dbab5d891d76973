import Configuration
import Data
import Diagnostics
import Testing

/// Other trainers' files of tokens as a corpus.
@Suite struct ForeignTokenFileTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("one text\n", to: "texts/1.txt")
        try folder.write("another", to: "texts/2.txt")
        try folder.write("and a third", to: "texts/3.txt")
    }

    private func tokenize(_ from: String, _ format: TokenFormat, _ to: String) throws -> TokenizationSummary {
        try tokenizeFiles([folder(from)], tokenizer: .bytes, output: folder(to), format: format, report: silent)
    }

    private func refusal(_ name: String) -> Failure? {
        failure { _ = try tokenize(name, .switchyard, "refused.tokens") }
    }

    @Test(arguments: [(TokenFormat.llmc, "x.bin"), (.nanogpt, "x.bin"), (.megatron, "x.bin"), (.megatron, "x.idx")])
    func whatIsExportedIsReadBack(format: TokenFormat, name: String) throws {
        let direct = try tokenize("texts", .switchyard, "direct.tokens")
        #expect(try tokenize("texts", format, "x.bin") == direct)
        #expect(try tokenize(name, .switchyard, "back.tokens") == direct)
        let (a, b) = (try TokenFile(folder("direct.tokens")), try TokenFile(folder("back.tokens")))
        try b.verify()
        #expect(TokenDataset(a).array == TokenDataset(b).array)
        #expect((0..<3).allSatisfy { a.document($0) == b.document($0) })
    }

    @Test func itIsTrainingData() throws {
        _ = try tokenize("texts", .llmc, "x.bin")
        let settings = DataConfiguration(train: [folder("x.bin")], validation: .hash(fraction: 0.5), tokenizer: .bytes)
        try Corpus.prepare(settings: settings, directory: folder("run"), report: silent)
        let corpus = try Corpus.open(settings: settings, directory: folder("run"))
        #expect(corpus.train[0].count + (corpus.validation.first?.count ?? 0) == 30)
        var said: [String] = []
        try Corpus.prepare(settings: settings, directory: folder("run")) { said.append($0) }
        #expect(said.contains { $0.hasPrefix("using ") })
    }

    @Test(arguments: [TokenizerChoice.automatic, .bytePairs(vocabularySize: 300)])
    func withoutATokenizerTheyMeanNothing(setting: TokenizerChoice) throws {
        _ = try tokenize("texts", .nanogpt, "x.bin")
        let refused = failure {
            try Corpus.prepare(
                settings: DataConfiguration(train: [folder("x.bin")], tokenizer: setting), directory: folder("run"),
                report: silent)
        }
        #expect(refused?.status == .configuration && refused?.message.contains("no tokenizer") == true)
    }

    /// llm.c puts the end-of-text token before each document, and none after the last.
    @Test func endOfTextMayStandFirst() throws {
        try folder.write([0, 1, 0x61, 0, 0x62, 0, 0, 1, 0x63, 0], to: "x.bin")
        #expect(try tokenize("x.bin", .switchyard, "x.tokens").documents == 2)
        let file = try TokenFile(folder("x.tokens"))
        #expect(file.document(0).end == 4 && file.document(1).end == 5)
        try file.verify()
    }

    @Test func otherTokensAreRefused() throws {
        try folder.write([0x61, 0, 1, 1], to: "x.bin")
        #expect(refusal("x.bin")?.message.contains("token 1 is 257, outside the vocabulary of 257") == true)
        try folder.write([0x61, 0, 1], to: "x.bin")
        #expect(refusal("x.bin")?.message.contains("no whole number of 16-bit tokens") == true)
    }

    @Test(arguments: [
        (4, UInt8(2), "llm.c's version 2 of 16-bit"), (8, 99, "promises 99 tokens"), (11, 0xFF, "promises"),
        (0, 0xA1, "version 1 of 32-bit tokens; version 7 is read"),
    ]) func damagedHeadersOfLlmCAreRefused(place: Int, value: UInt8, words: String) throws {
        _ = try tokenize("texts", .llmc, "x.bin")
        var bytes = try folder.read("x.bin")
        if place == 0 { bytes.replaceSubrange(0..<4, with: [0xA1, 0xD9, 0x34, 1]) } else { bytes[place] = value }
        try folder.write(bytes, to: "x.bin")
        #expect(refusal("x.bin")?.message.contains(words) == true)
    }

    @Test(arguments: [
        (0, UInt8(0), "no index of Megatron's"), (9, 2, "no index of Megatron's"), (17, 6, "of type 6"),
        (18, 4, "promises 4 sequences"), (24, 0xFF, "promises"), (34, 9, "does not follow"), (42, 3, "index speaks of"),
        (46, 1, "does not follow"), (70, 1, "out of order"), (78, 4, "out of order"), (94, 2, "belong to no document"),
    ]) func damagedIndicesAreRefused(place: Int, value: UInt8, words: String) throws {
        _ = try tokenize("texts", .megatron, "x")
        var bytes = try folder.read("x.idx")
        bytes[place] = value
        try folder.write(bytes, to: "x.idx")
        let found = refusal("x.bin")?.message
        #expect(found?.contains(words) == true, "\(found ?? "accepted")")
    }

    @Test("an index with the modes of sequences, as multimodal data sets have: text is read, anything else refused")
    func modesOfSequences() throws {
        let before = try tokenize("texts", .megatron, "x").tokens
        let index = try folder.read("x.idx")
        try folder.write(index + [0, 0, 0], to: "x.idx")
        #expect(try tokenize("x.bin", .nanogpt, "y.bin").tokens == before)
        try folder.write(index + [0, 1, 0], to: "x.idx")
        #expect(refusal("x.bin")?.message.contains("sequence 1 has mode 1") == true)
        try folder.write(index + [0, 0], to: "x.idx")
        #expect(refusal("x.bin")?.message.contains("promises 3 sequences") == true)
    }

    @Test(arguments: [(UInt8(1), 1), (4, 4), (5, 8)]) func otherWidthsOfTokensAreRead(code: UInt8, width: Int) throws {
        func word(_ number: Int, _ bytes: Int) -> [UInt8] {
            (0..<bytes).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        let head = Array("MMIDIDX\0\0".utf8) + word(1, 8) + [code] + word(1, 8) + word(2, 8)
        try folder.write(head + word(3, 4) + word(0, 8) + word(0, 8) + word(1, 8), to: "x.idx")
        try folder.write([0x61, 0x62, 0x63].flatMap { word($0, width) }, to: "x.bin")
        #expect(try tokenize("x.idx", .nanogpt, "y.bin").tokens == 3)
        #expect(try folder.read("y.bin") == [0x61, 0, 0x62, 0, 0x63, 0])
    }
}
