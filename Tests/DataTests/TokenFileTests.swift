import Configuration
import Data
import Diagnostics
import Testing
import Tokenizers

@Suite struct TokenFileTests {
    private let folder: TemporaryFolder
    /// A whole token file of three documents.
    private let good: [UInt8]

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("{\"text\": \"one\"}\n{\"text\": \"three\"}\n{\"text\": \"one\"}\n", to: "a.jsonl")
        _ = try tokenizeFiles(
            [folder("a.jsonl")], tokenizer: .bytes, output: folder("good.tokens"), format: .switchyard, report: silent)
        good = try folder.read("good.tokens")
    }

    private func complaint(_ bytes: [UInt8]) throws -> String? {
        let path = try folder.write(bytes, to: "bad.tokens")
        let refused = failure { try TokenFile(path).verify() }
        guard let refused else { return nil }
        #expect(refused.status == .data && refused.message.contains(path))
        return refused.message
    }

    private func word(_ bytes: [UInt8], at offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }

    private func mixed(_ word: UInt64) -> UInt64 {
        var hash = word
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        return hash ^ (hash >> 31)
    }

    private func digest(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return mixed(hash)
    }

    private func store(_ word: UInt64, in bytes: inout [UInt8], at offset: Int) {
        for i in 0..<8 { bytes[offset + i] = UInt8(truncatingIfNeeded: word >> UInt64(8 * i)) }
    }

    /// With the header's digest as docs/token-files.md defines it.
    private func seal(_ bytes: [UInt8]) -> [UInt8] {
        var sealed = bytes
        store(digest(bytes[..<120]), in: &sealed, at: 120)
        return sealed
    }

    /// With the digest of the contents, and then that of the header.
    private func sealContents(_ bytes: [UInt8]) -> [UInt8] {
        var sealed = bytes
        var microBatches: [UInt64] = [1, 2, 3, 4]
        let whole = (bytes.count - 128) / 32 * 32
        for offset in stride(from: 0, to: whole, by: 8) {
            let microBatch = offset / 8 % 4
            microBatches[microBatch] =
                ((microBatches[microBatch] ^ word(bytes, at: 128 + offset)) &* 0x9E37_79B9_7F4A_7C15).byteSwapped
        }
        var result = digest(bytes[(128 + whole)...])
        for microBatch in microBatches { result = mixed(result ^ microBatch) }
        store(mixed(result ^ UInt64(bytes.count - 128)), in: &sealed, at: 64)
        return seal(sealed)
    }

    @Test func holdsWhatItsDescriptionSays() throws {
        let file = try TokenFile(folder("good.tokens"))
        try file.verify()
        #expect(good.starts(with: "SWYTOKEN".utf8) && good[8] == 1 && good[12] == 128)
        #expect([16, 24, 32].map { word(good, at: $0) } == [257, 14, 3])
        #expect(String(decoding: good[48..<64], as: UTF8.self) == ByteTokenizer().identity)
        #expect(seal(good) == good && sealContents(good) == good)
        let tokens = Array("one\u{0}three\u{0}one\u{0}".utf8).map { $0 == 0 ? 256 : Int($0) }
        #expect(TokenDataset(file).array == tokens)
        let stored = (0..<14).map { (i: Int) -> Int in Int(good[128 + 2 * i]) + 256 * Int(good[129 + 2 * i]) }
        #expect(stored == tokens)
        let table = 128 + 32
        #expect((0..<3).map { word(good, at: table + 16 * $0) } == [4, 10, 14])
        #expect(word(good, at: table + 8) == word(good, at: table + 40))
        #expect(word(good, at: table + 8) != word(good, at: table + 24))
        #expect(Int(word(good, at: 40)) == good.count - table - 48)
        #expect(file.metadata.sources.map(\.path) == [folder("a.jsonl")] && file.documentCount == 3)
    }

    @Test func truncatedAndForeignFilesAreNamedSo() throws {
        for length in [8, 60, 127, 128, 150, 170, good.count - 1] {
            #expect(try complaint(Array(good[..<length]))?.contains("truncated") == true, "\(length)")
        }
        #expect(try complaint([])?.contains("not a token file") == true)
        #expect(try complaint(Array("just a text that is called .tokens".utf8))?.contains("not a token file") == true)
        #expect(try complaint(good + [0])?.contains("header speaks of \(good.count)") == true)
        var newer = good
        newer[8] = 3
        #expect(try complaint(newer)?.contains("version 3") == true)
        // Version 2 is of vocabularies above 65,536 alone.
        newer[8] = 2
        #expect(try complaint(seal(newer))?.contains("header is damaged") == true)
        #expect(failure { _ = try TokenFile(folder("none.tokens")) }?.status == .noInput)
    }

    @Test func everyChangedByteIsFound() throws {
        for offset in good.indices {
            var bad = good
            bad[offset] ^= UInt8(1 << (offset % 8))
            #expect(try complaint(bad) != nil, "byte \(offset)")
        }
    }

    @Test func tokensOutsideTheVocabularyAreFound() throws {
        // A header that promises a vocabulary of 100 for the same tokens, correctly sealed.
        var bad = good
        bad[16] = 100
        bad[17] = 0
        #expect(try complaint(seal(bad))?.contains("100 entries") == true)
        // Foreign tokens, correctly sealed.
        bad = good
        bad[128 + 6] = 44
        #expect(try complaint(sealContents(bad))?.contains("token 3 is 300, outside the vocabulary of 257") == true)
    }

    @Test func anImpossibleDocumentTableIsFound() throws {
        for (document, end) in [(0, UInt64(0)), (1, 4), (1, 15), (2, 13), (2, .max)] {
            var bad = good
            store(end, in: &bad, at: 160 + 16 * document)
            #expect(try complaint(sealContents(bad))?.contains("document") == true, "\(document) \(end)")
        }
    }

    @Test func nonsenseUnderACorrectSealNeverCrashes() throws {
        var random = TestRandom(7)
        var accepted = 0
        for _ in 0..<400 {
            var bad = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let field = 16 + 8 * Int.random(in: 0..<4, using: &random)
                let values: [UInt64] = [0, 1, .max, 1 << 63, 1 << 62, UInt64.random(in: 0...400, using: &random)]
                let value = values.randomElement(using: &random)!
                store(value, in: &bad, at: field)
            }
            if try complaint(seal(bad)) == nil { accepted += 1 }
        }
        #expect(accepted < 10)
    }

    @Test func anotherVocabularyIsRefusedWithBothNamed() throws {
        try folder.write("abab abab", to: "b.txt")
        _ = try tokenizeFiles(
            [folder("b.txt")], tokenizer: .bytePairs(vocabularySize: 258), output: folder("b.tokens"),
            format: .switchyard,
            report: silent)
        let message = failure {
            _ = try corpus([folder("good.tokens")], validation: .files([folder("b.tokens")]), in: folder)
        }
        #expect(message?.status == .data)
        #expect(
            message?.message.contains("vocabulary 258") == true && message?.message.contains("vocabulary 257") == true)
    }
}
