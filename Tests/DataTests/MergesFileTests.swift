import Configuration
import Data
import Diagnostics
import Testing
import Tokenizers

@Suite struct MergesFileTests {
    private let folder: TemporaryFolder
    private static let merges = "#version: 0.2\nt h\nth e\nĠ the\na n\n"

    init() throws { folder = try TemporaryFolder() }

    @Test(
        "line ends of every kind give the same merges",
        arguments: [
            merges, merges.replacing("\n", with: "\r\n"), "\u{FEFF}" + merges,
            "\u{FEFF}" + merges.replacing("\n", with: "\r\n"),
            String(merges.dropLast()), String(merges.replacing("\n", with: "\r\n").dropLast()) + "\r",
            merges.replacing("\n", with: "\r\n").replacing("#version: 0.2\r\n", with: ""), merges + "\r\n\n",
        ])
    func lineEnds(_ text: String) throws {
        let path = try folder.write(text, to: "merges.txt")
        let plain = try folder.write(Self.merges, to: "plain.txt")
        let tokenizer = try readTokenizer(inFile: path)
        #expect(tokenizer.vocabularySize == 261)
        #expect(try tokenizer.identity == readTokenizer(inFile: plain).identity)
        #expect(tokenizer.encode(" the").count == 1)
    }

    @Test("the byte tokenizer's line may end in any way", arguments: ["\n", "\r\n"])
    func byteTokenizer(_ end: String) throws {
        let path = try folder.write("#version: 0.2 bytes\(end)", to: "bytes.txt")
        #expect(try readTokenizer(inFile: path) is ByteTokenizer)
    }

    @Test(
        "a file of merges without merges is refused",
        arguments: ["#version: 0.2\n", "#version: 0.2\r\n", "\n\n", "\r\n"])
    func noMerges(_ text: String) throws {
        let path = try folder.write(text, to: "merges.txt")
        let refused = failure { _ = try readTokenizer(inFile: path) }
        #expect(refused?.status == .data && refused?.message.contains("holds no merges") == true)
    }

    @Test("a carriage return alone ends no line") func carriageReturns() throws {
        let path = try folder.write(Self.merges.replacing("\n", with: "\r"), to: "merges.txt")
        #expect(failure { _ = try readTokenizer(inFile: path) }?.status == .data)
    }

    @Test("a vocabulary of bytes alone is learned, stored and read") func bytesAlone() throws {
        let text = try folder.write("some text", to: "a.txt")
        let corpus = try corpus([text], tokenizer: .bytePairs(vocabularySize: 257), in: folder)
        #expect(corpus.tokenizer.vocabularySize == 257)
    }

    @Test("line ends are a user's file's alone: what is stored is read as it stands") func storedTexts() throws {
        let text = Array("#version: 0.2\r\na b\r\n".utf8)
        #expect(try TokenizerCatalog.read(text.span, from: .file("x")).vocabularySize == 258)
        #expect(failure { _ = try TokenizerCatalog.read(text.span, from: .stored(in: "x")) }?.status == .data)
        let empty = Array("#version: 0.2\n".utf8)
        #expect(try TokenizerCatalog.read(empty.span, from: .stored(in: "x")).vocabularySize == 257)
        for nothing in [[], [0xEF, 0xBB, 0xBF]] as [[UInt8]] {
            let refused = failure { _ = try TokenizerCatalog.read(nothing.span, from: .file("x")) }
            #expect(refused?.message == "x is empty: expected a file of merges")
        }
    }
}
