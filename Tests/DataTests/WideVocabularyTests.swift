import Configuration
import Data
import Diagnostics
import Testing
import Tokenizers

/// Vocabularies of more than 65,536 entries, whose tokens take 32 bits.
@Suite struct WideVocabularyTests {
    private let folder: TemporaryFolder
    /// Token 256 + 256·a + b is the bytes a, b.
    private static let pairs: [String] = (0...UInt8.max).flatMap { a in
        (0...UInt8.max).map { b in "\(PrintableBytes().text(of: [a])) \(PrintableBytes().text(of: [b]))\n" }
    }
    private static let tokens = [256 + 256 * 0xFF + 0xFE, 256 + 256 * 0x61 + 0x62, 65_792] as [Int]

    init() throws {
        folder = try TemporaryFolder()
        try folder.write(Self.pairs.joined(), to: "merges.txt")
        try folder.write([0xFF, 0xFE, 0x61, 0x62], to: "texts/1.txt")
        try folder.write([0xFF, 0xFE, 0x61, 0x62], to: "texts/2.txt")
    }

    private func tokenize(_ input: String, _ format: TokenFormat, _ output: String, bits: Int? = nil) throws {
        _ = try tokenizeFiles(
            [folder(input)], tokenizer: .file(folder("merges.txt")), output: folder(output), format: format,
            tokenBits: bits, report: silent)
    }

    private func read(_ name: String, report: (String) -> Void = silent) throws -> [Int] {
        _ = try tokenizeFiles(
            [folder(name)], tokenizer: .file(folder("merges.txt")), output: folder("back.tokens"), format: .switchyard,
            report: report)
        return TokenDataset(try TokenFile(folder("back.tokens"))).array
    }

    private func words(_ bytes: some Collection<UInt8>) -> [Int] {
        let bytes = Array(bytes)
        return stride(from: 0, to: bytes.count, by: 4).map { at in
            (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
        }
    }

    @Test("a vocabulary of 65,537 entries makes a file of version 2, one of 65,536 a file of version 1")
    func versions() throws {
        for (size, version, documents) in [(65_536, UInt8(1), 128 + 16), (65_537, 2, 128 + 32)] {
            try folder.write(Self.pairs[..<(size - 257)].joined(), to: "merges.txt")
            try tokenize("texts", .switchyard, "x.tokens")
            let bytes = try folder.read("x.tokens"), file = try TokenFile(folder("x.tokens"))
            try file.verify()
            #expect(file.tokenizer.vocabularySize == size && bytes[8] == version)
            // Bytes 254 and 255 are pairs that come later; the end of text is the last token.
            #expect(TokenDataset(file).array == [187, 186, 25_186, size - 1, 187, 186, 25_186, size - 1])
            #expect(words(bytes[documents..<documents + 4]) == [4], "\(size)")
        }
    }

    @Test("a file of version 2 stores 32-bit tokens, padded to a multiple of 8 bytes") func wideFile() throws {
        try folder.write([0x61], to: "texts/3.txt")
        try tokenize("texts", .switchyard, "x.tokens")
        let bytes = try folder.read("x.tokens"), file = try TokenFile(folder("x.tokens"))
        try file.verify()
        let all = Self.tokens + Self.tokens + [64, 65_792]
        #expect(words(bytes[128..<128 + 4 * all.count]) == all && TokenDataset(file).array == all)
        #expect((0..<3).map { file.document($0).end } == [3, 6, 8])
        for place in [128, 130, 159, 160, bytes.count - 1] {
            var bad = bytes
            bad[place] ^= 1
            try folder.write(bad, to: "bad.tokens")
            #expect(failure { try TokenFile(folder("bad.tokens")).verify() }?.status == .data, "byte \(place)")
        }
    }

    @Test(
        "other trainers' formats carry 32-bit tokens there and back",
        arguments: [(TokenFormat.llmc, "x.bin"), (.nanogpt, "x.bin"), (.megatron, "x.bin"), (.megatron, "x.idx")])
    func foreignFormats(format: TokenFormat, name: String) throws {
        try tokenize("texts", format, "x.bin")
        let bytes = try folder.read("x.bin"), all = Self.tokens + Self.tokens
        let head = format == .llmc ? 1024 : 0
        #expect(words(bytes[head...]) == all)
        if format == .llmc { #expect(words(bytes[..<16]) == [20_240_801, 7, 6, 0]) }
        if format == .megatron {
            let index = try folder.read("x.idx")
            #expect(index[17] == 4 && words(index[34 + 8..<34 + 8 + 16]) == [0, 0, 12, 0])
        }
        #expect(try read(name) == all)
    }

    @Test("a vocabulary that needs 32 bits is a sign of their width, the name a better one") func bareTokens() throws {
        // Too few numbers to tell anything by themselves.
        try folder.write([0x61, 0, 0, 0, 0, 1, 1, 0], to: "x.bin")
        var said: [String] = []
        #expect(try read("x.bin") { said.append($0) } == [0x61, 65_792])
        #expect(said.contains { $0.contains("32-bit tokens: the vocabulary has 65793 entries") })
        try folder.write([0x61, 0, 0, 0, 0x62, 0], to: "y.bin")
        #expect(failure { _ = try read("y.bin") }?.message.contains("no whole number of 32-bit tokens") == true)
        try folder.write([0x61, 0, 0x62, 0], to: "x.u16.bin")
        #expect(try read("x.u16.bin") == [0x61, 0x62])
        try folder.write([0xFF, 0, 1, 0], to: "z.bin")
        #expect(try read("z.bin") == [65_791])
        try folder.write([1, 1, 1, 0x80], to: "z.bin")
        #expect(failure { _ = try read("z.bin") }?.message.contains("outside the vocabulary of 65793") == true)
    }

    @Test("narrow tokens are written with 32 bits where that is asked for") func bitsAreChosen() throws {
        for (format, head) in [(TokenFormat.llmc, 1024), (.nanogpt, 0), (.megatron, 0)] {
            _ = try tokenizeFiles(
                [folder("texts")], tokenizer: .bytes, output: folder("x.bin"), format: format, tokenBits: 32,
                report: silent)
            let bytes = try folder.read("x.bin")
            #expect(words(bytes[head...]) == [0xFF, 0xFE, 0x61, 0x62, 256, 0xFF, 0xFE, 0x61, 0x62, 256])
        }
    }

    @Test(
        "bits that a format or vocabulary does not allow are refused before anything is written",
        arguments: [
            (TokenFormat.nanogpt, 16, "65793 entries"), (.llmc, 64, "allowed are 16 and 32"),
            (.megatron, 0, "allowed are 16 and 32"), (.switchyard, 32, "as wide as the vocabulary needs"),
        ])
    func bitsAreRefused(format: TokenFormat, bits: Int, words: String) throws {
        let refused = failure { try tokenize("texts", format, "x.bin", bits: bits) }
        #expect(
            refused?.status == .usage && refused?.message.contains(words) == true, "\(refused?.message ?? "accepted")")
        #expect(throws: (any Error).self) { try folder.read("x.bin") }
        #expect(throws: (any Error).self) { try folder.read("x.bin.partial") }
    }
}
