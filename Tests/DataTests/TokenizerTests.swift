import Data
import Diagnostics
import Foundation
import Platform
import Testing
import Tokenizers

private let testData = ProcessInfo.processInfo.environment["SWITCHYARD_TEST_DATA"]

@Suite struct TokenizerTests {
    private func randomBytes(_ count: Int, _ random: inout TestRandom) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// Few letters, so that pairs are frequent and tied; now and then a long run, which takes the encoder's other way.
    private func randomText(_ count: Int, _ random: inout TestRandom) -> [UInt8] {
        var text: [UInt8] = []
        while text.count < count {
            let isLong = Int.random(in: 0..<60, using: &random) == 0
            let alphabet = Array((isLong ? "ab" : "aaabbc d'.\n").utf8)
            for _ in 0..<(isLong ? 150 : 1) { text.append(alphabet.randomElement(using: &random)!) }
        }
        return text
    }

    private func train(_ text: [UInt8], vocabularySize: Int) throws -> BytePairTokenizer {
        let folder = try TemporaryFolder()
        return try trainBytePairs(
            on: textFiles(at: [folder.write(text, to: "a.txt")], textField: nil), vocabularySize: vocabularySize,
            report: silent)
    }

    /// A tokenizer of every format.
    private func everyKind(trainedOn text: [UInt8], vocabularySize: Int) throws -> [any Tokenizer] {
        [ByteTokenizer(), try train(text, vocabularySize: vocabularySize)]
    }

    @Test func bytesAreTheirOwnTokens() {
        let tokenizer = ByteTokenizer()
        let text = Array(0...255) as [UInt8]
        #expect(tokenizer.vocabularySize == 257 && tokenizer.endOfText == 256)
        #expect(tokenizer.encode(text) == Array(0...255))
        #expect(tokenizer.decode(0...255) == text)
        #expect(tokenizer.decode([256, 257, -1]) == [] && tokenizer.byteCount(of: 256) == 0)
    }

    @Test func withoutMergesTokensAreBytesInPrintableOrder() throws {
        let tokenizer = try readTokenizer(Array("#version: 0.2\n".utf8), from: "test")
        #expect(tokenizer.vocabularySize == 257 && tokenizer.endOfText == 256)
        // GPT-2's own ids.
        #expect(tokenizer.encode("!A~ \n\u{0}") == [0, 32, 93, 220, 198, 188])
        #expect(tokenizer.encode([0x7F, 0xA0, 0xAD, 0xA1, 0xFF]) == [221, 254, 255, 94, 187])
        #expect(Set(tokenizer.encode(Array(0...255))) == Set(0...255))
    }

    @Test func mergesApplyInTheOrderOfTheirLines() throws {
        let tokenizer = try readTokenizer(Array("#version: 0.2\nb c\na b\nĠ a\nĠa bc\n".utf8), from: "test")
        // "abc": `b c` was learned before `a b`.
        #expect(tokenizer.encode("abc") == [64, 256])
        #expect(tokenizer.encode("ab abc") == [257, 259])
        #expect(tokenizer.vocabularySize == 261 && tokenizer.endOfText == 260)
        #expect(tokenizer.bytes(of: 259) == Array(" abc".utf8) && tokenizer.byteCount(of: 259) == 4)
    }

    @Test(arguments: UInt64(0)..<12)
    func trainingAndEncodingAgreeWithTheNaiveWay(seed: UInt64) throws {
        var random = TestRandom(seed)
        let text = randomText(50 * Int(seed + 1), &random)
        var naive = NaiveBytePairs()
        naive.learn(from: text, merges: 60)
        let tokenizer = try train(text, vocabularySize: 257 + naive.merges.count)
        let learned = naive.merges.map { $0[0] + $0[1] }
        #expect((256..<tokenizer.endOfText).map { tokenizer.bytes(of: $0) } == learned)
        for text in [text, randomText(400, &random), randomBytes(200, &random)] {
            let tokens = tokenizer.encode(text)
            #expect(tokens.map(Int.init) == naive.encode(text))
            #expect(tokenizer.decode(tokens.map(Int.init)) == text)
        }
    }

    /// Short words are merged in memory of fixed size, long ones with a heap; one that comes again is remembered.
    @Test("words of every length have the tokens of the slow way, the first time and later", arguments: UInt64(0)..<3)
    func wordsOfEveryLength(seed: UInt64) throws {
        var random = TestRandom(seed), naive = NaiveBytePairs()
        func word(_ length: Int) -> [UInt8] { (0..<length).map { _ in "abc".utf8.randomElement(using: &random)! } }
        let text = Array((0..<300).map { _ in word(12) }.joined(separator: [32]))
        naive.learn(from: text, merges: 60)
        let tokenizer = try train(text, vocabularySize: 257 + naive.merges.count)
        let words = (1...130).map { word($0) }
        // 63 to 65 bytes with the blank, and words met three times in one text.
        let all = Array((words + words.reversed() + words).joined(separator: [32]))
        #expect(tokenizer.encode(all).map(Int.init) == naive.encode(all))
        for word in words { #expect(tokenizer.encode(word).map(Int.init) == naive.encode(word)) }
    }

    @Test func storedTokenizersAreRestored() throws {
        var random = TestRandom(20)
        let text = randomText(2000, &random)
        let tokenizers = try everyKind(trainedOn: text, vocabularySize: 300)
        for tokenizer in tokenizers {
            let restored = try readTokenizer(Array(tokenizer.serialized.utf8), from: "test")
            #expect(restored.identity == tokenizer.identity && restored.identity.utf8.count == 16)
            #expect(restored.vocabularySize == tokenizer.vocabularySize)
            #expect(restored.encode(text) == tokenizer.encode(text))
        }
        #expect(tokenizers[0].identity != tokenizers[1].identity)
    }

    /// Tokens of a text whose end is not known until the last of its pieces, each at most `most` bytes longer than what the
    /// encoder left.
    private func tokensOfPieces(_ text: [UInt8], _ tokenizer: any Tokenizer, upTo most: Int, _ random: inout TestRandom)
        -> [UInt32]
    {
        var encoder = tokenizer.makeEncoder()
        var tokens: [UInt32] = [], start = 0, end = 0
        while start < text.count {
            end = min(text.count, end + Int.random(in: 1...most, using: &random))
            start += encoder.encode(text[start..<end].span, isEnd: end == text.count, into: &tokens)
        }
        return tokens
    }

    @Test func piecesGiveTheTokensOfTheWhole() throws {
        var random = TestRandom(21)
        let text = randomText(3000, &random)
        for tokenizer in try everyKind(trainedOn: text, vocabularySize: 290) {
            #expect(tokensOfPieces(text, tokenizer, upTo: 50, &random) == tokenizer.encode(text))
        }
    }

    /// What a pre-token is depends on what follows: a space belongs to the next word, a contraction to two letters, a character to
    /// all its bytes.
    @Test func piecesMayEndAnywhere() throws {
        var random = TestRandom(22)
        let pieces = ["a", "bc", "'", "'l", "l", " ", "  ", "\n", "\u{A0}", "\u{3000}", "é", "日", "😀", "7", "½", "…"]
        let learned = Array("all all a a b b's b's é é 日 日 😀 😀".utf8)
        let tokenizers = try everyKind(trainedOn: learned, vocabularySize: 262)
        for _ in 0..<2000 {
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                text += pieces.randomElement(using: &random)!.utf8
                if Int.random(in: 0..<8, using: &random) == 0 {
                    text.append(UInt8.random(in: 128...255, using: &random))
                }
            }
            for tokenizer in tokenizers {
                #expect(tokensOfPieces(text, tokenizer, upTo: 3, &random) == tokenizer.encode(text), "\(text)")
            }
        }
    }

    @Test func aPreTokenOfAMillionBytesTakesNoQuadraticTime() throws {
        let tokenizer = try readTokenizer(Array("#version: 0.2\na a\naa aa\nb a\n".utf8), from: "test")
        let tokens = tokenizer.encode([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_003))
        #expect(tokens == [UInt32](repeating: 257, count: 250_000) + [256, 64])
    }

    @Test func tooSmallACorpusIsRefusedWithTheLargestVocabularyItAllows() throws {
        let refused = failure { _ = try train(Array("abab abab".utf8), vocabularySize: 300) }
        #expect(refused?.status == .data && refused?.advice == "ask for `bpe 259` or less, or add text")
        #expect(try train(Array("abab abab".utf8), vocabularySize: 259).vocabularySize == 259)
    }

    @Test(arguments: [
        ("", "empty"), ("#version: 0.2\na b c\n", "x:2"), ("a b\nab\n", "x:2"), ("a b\n\nq bc\n", "`bc` is not made"),
        ("a b\na b\n", "`ab` is made by an earlier line"), ("a b\nb c\nab c\na bc\n", "x:4"), ("日 本\n", "x:1"),
        ("{\"a\": 1, \"b\": 2}\n", "is no merge"),
    ])
    func filesThatAreNoMergesAreRefusedWithTheLine(_ text: String, _ complaint: String) {
        let refused = failure { _ = try readTokenizer(Array(text.utf8), from: "x") }
        #expect(
            refused?.status == .data && refused?.message.contains(complaint) == true,
            "\(refused?.message ?? "accepted")")
    }

    @Test func filesThatAreNoTextAreRefused() {
        #expect(failure { _ = try readTokenizer([0xFF, 0x20, 0xFE], from: "x") }?.message.contains("UTF-8") == true)
    }

    @Test(.enabled(if: testData != nil, "set SWITCHYARD_TEST_DATA to a folder with gpt2.vocab.bpe"))
    func givesTheIdsOfGPT2() throws {
        let tokenizer = try readTokenizer(inFile: "\(testData ?? "")/gpt2.vocab.bpe")
        #expect(tokenizer.vocabularySize == 50257 && tokenizer.endOfText == 50256)
        #expect(tokenizer.encode("Hello, world!") == [15496, 11, 995, 0])
        #expect(tokenizer.encode("hello  <|endoftext|>\n") == [31373, 220, 1279, 91, 437, 1659, 5239, 91, 29, 198])
    }
}
