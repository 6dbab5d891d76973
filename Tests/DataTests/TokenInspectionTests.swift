import Configuration
import Data
import Diagnostics
import Testing

@Suite("Inspection of token files") struct TokenInspectionTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for (name, text) in [("1", "a"), ("2", "bbb"), ("3", "aaaaaa"), ("4", String(repeating: "c", count: 250))] {
            try folder.write(text, to: "texts/\(name).txt")
        }
    }

    private func tokenize(_ format: TokenFormat, _ name: String) throws -> String {
        let path = folder(name)
        _ = try tokenizeFiles([folder("texts")], tokenizer: .bytes, output: path, format: format, report: silent)
        return path
    }

    @Test("counts, lengths, entries and texts are those of the documents") func figures() throws {
        let found = try TokenInspection(tokenize(.switchyard, "x.tokens"), tokenizer: nil, samples: 2)
        #expect((found.tokens, found.documents, found.textBytes) == (264, 4, 260))
        #expect((found.bitsPerToken, found.vocabularySize, found.usedEntries) == (16, 257, 4))
        #expect(found.tokenizerSetting != nil && found.sources?.count == 4)
        let lengths = try #require(found.lengths)
        #expect((lengths.shortest, lengths.median, lengths.longest, lengths.mean) == (2, 7, 251, 66))
        #expect(found.mostFrequent.map(\.text) == ["c", "a", "", "b"])
        #expect(found.mostFrequent.map(\.count) == [250, 7, 4, 3])
        #expect(found.samples.map(\.text) == ["a", "bbb"] && found.samples.map(\.tokens) == [2, 4])
        #expect(found.histogram.map(\.from) == [2, 4, 8, 16, 32, 64, 128])
        #expect(found.histogram.map(\.through) == [3, 7, 15, 31, 63, 127, 255])
        #expect(found.histogram.map(\.documents) == [1, 2, 0, 0, 0, 0, 1])
        #expect(found.histogram.map(\.tokens) == [2, 11, 0, 0, 0, 0, 251])
    }

    @Test(
        "another trainer's file shows the same with its tokenizer", arguments: [TokenFormat.llmc, .nanogpt, .megatron])
    func foreign(format: TokenFormat) throws {
        let own = try TokenInspection(tokenize(.switchyard, "x.tokens"), tokenizer: nil, samples: 9)
        let other = try TokenInspection(tokenize(format, "x.bin"), tokenizer: .bytes, samples: 9)
        #expect(other.histogram.map(\.documents) == own.histogram.map(\.documents))
        #expect(other.samples.map(\.text) == own.samples.map(\.text))
        #expect((other.tokens, other.documents, other.textBytes) == (own.tokens, own.documents, own.textBytes))
        #expect(other.tokenizerSetting == nil)
        for setting in [nil, TokenizerChoice.bytePairs(vocabularySize: 300)] {
            let refused = failure { _ = try TokenInspection(folder("x.bin"), tokenizer: setting, samples: 1) }
            #expect(refused?.status == .usage && refused?.message.contains("which tokenizer made it") == true)
        }
    }

    /// llm.c puts the end-of-text token before each document, and none after the last.
    @Test("documents are those that training takes, also where the end-of-text token stands first") func sameDocuments()
        throws
    {
        try folder.write([0, 1, 0x61, 0, 0x62, 0, 0, 1, 0, 1, 0x63, 0], to: "first.u16.bin")
        let found = try TokenInspection(folder("first.u16.bin"), tokenizer: .bytes, samples: 9)
        let copied = try tokenizeFiles(
            [folder("first.u16.bin")], tokenizer: .bytes, output: folder("first.tokens"), format: .switchyard,
            report: silent)
        #expect(found.documents == copied.documents && found.tokens == copied.tokens)
        #expect(found.samples.map(\.text) == ["ab", "c"])
    }

    @Test("a damaged file, one with a tokenizer of its own, and a token outside the vocabulary are refused")
    func refused()
        throws
    {
        let path = try tokenize(.switchyard, "x.tokens")
        #expect(failure { _ = try TokenInspection(path, tokenizer: .bytes, samples: 1) }?.status == .usage)
        var bytes = try folder.read("x.tokens")
        bytes[140] ^= 1
        try folder.write(bytes, to: "damaged.tokens")
        let damaged = failure { _ = try TokenInspection(folder("damaged.tokens"), tokenizer: nil, samples: 1) }
        #expect(damaged?.message.contains("is damaged") == true)
        try folder.write([0x61, 0, 0x01, 0x02, 0x61, 0, 0x61, 0, 0x61, 0, 0x61, 0, 0x61, 0, 0x61, 0], to: "y.bin")
        let outside = failure { _ = try TokenInspection(folder("y.bin"), tokenizer: .bytes, samples: 1) }
        #expect(outside?.message.contains("token 1 is 513") == true)
    }

    @Test("a file without documents is shown as one") func empty() throws {
        try folder.write([UInt8](), to: "z.u16.bin")
        let found = try? TokenInspection(folder("z.u16.bin"), tokenizer: .bytes, samples: 1)
        #expect(found.map { $0.documents == 0 && $0.lengths == nil && $0.histogram.isEmpty } ?? true)
    }
}
