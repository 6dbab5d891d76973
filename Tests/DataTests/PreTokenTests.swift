import Testing
import Tokenizers

@Suite struct PreTokenTests {
    private func words(_ text: String, _ pattern: PreTokenPattern = .gpt2) -> [String] {
        preTokens(of: Array(text.utf8), by: pattern).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func cutsAsGPT2Does() {
        #expect(words("Hello world") == ["Hello", " world"])
        #expect(
            words("I'll don't 'tis we've they'Re") == [
                "I", "'ll", " don", "'t", " '", "tis", " we", "'ve", " they", "'", "Re",
            ])
        #expect(words("a  b") == ["a", " ", " b"])
        #expect(words("a   b") == ["a", "  ", " b"])
        #expect(words("a\n\nb") == ["a", "\n", "\n", "b"])
        #expect(words("a \n b  ") == ["a", " \n", " b", "  "])
        #expect(words("x=3.14!!") == ["x", "=", "3", ".", "14", "!!"])
        #expect(words("naïve Füße ١٢٣ ½") == ["naïve", " Füße", " ١٢٣", " ½"])
        #expect(words("a\u{A0}b\u{3000}") == ["a", "\u{A0}", "b", "\u{3000}"])
        #expect(words("'") == ["'"] && words("''s") == ["''", "s"] && words("'r") == ["'", "r"])
        #expect(words("") == [])
    }

    @Test func invalidUTF8IsOneCharacterAByte() {
        let text: [UInt8] = [0x61, 0xFF, 0xC3, 0x61, 0xE2, 0x82, 0x20, 0xC0, 0xAF, 0xED, 0xA0, 0x80, 0xF5]
        #expect(
            preTokens(of: text) == [
                [0x61], [0xFF, 0xC3], [0x61], [0xE2, 0x82], [0x20, 0xC0, 0xAF, 0xED, 0xA0, 0x80, 0xF5],
            ])
        #expect(preTokens(of: [0x20, 0xF0, 0x9F]) == [[0x20, 0xF0, 0x9F]])
    }

    @Test("llama3 keeps contractions in any case, three digits and line ends with symbols") func llama3() {
        #expect(words("I'LL DON'T it'\u{17F}", .llama3) == ["I", "'LL", " DON", "'T", " it", "'\u{17F}"])
        #expect(words("x=12345.6", .llama3) == ["x", "=", "123", "45", ".", "6"])
        #expect(words("(a) {\n\n  b;\r\n}", .llama3) == ["(a", ")", " {\n\n", " ", " b", ";\r\n", "}"])
        #expect(words("a\n \n  b\tc", .llama3) == ["a", "\n \n", " ", " b", "\tc"])
        #expect(words("a\n  ", .llama3) == ["a", "\n", "  "] && words("a\n  ", .cl100k) == ["a", "\n  "])
        #expect(words("a 12", .qwen2) == ["a", " ", "1", "2"])
    }

    @Test("o200k ends words before upper case and keeps contractions and slashes") func o200k() {
        #expect(words("parseHTTPResponse", .o200k) == ["parse", "HTTPResponse"])
        #expect(words("ABC'S don't", .o200k) == ["ABC'S", " don't"])
        #expect(words("中文A1", .o200k) == ["中文", "A", "1"] && words("中文Ab", .o200k) == ["中文Ab"])
        #expect(words("//\n/x", .o200k) == ["//\n/", "x"])
        #expect(words("\u{301}ABC \u{301}aB", .o200k) == ["\u{301}", "ABC", " \u{301}a", "B"])
    }

    @Test("numbers are pieces of their own where Digits cuts them out") func digits() {
        #expect(words("a  12b 3", .gpt2Digit) == ["a", "  ", "1", "2", "b", " ", "3"])
        #expect(words("a  12b 3", .gpt2Digits) == ["a", "  ", "12", "b", " ", "3"])
    }

    /// Made with what tiktoken 0.14 and `tokenizers` 0.23 match by `\p{Lu}`, `\s` and so on, over all characters.
    @Test("every character has its class in Unicode 16.0") func classes() {
        let classes = TextClasses()
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for value in UInt32(0)..<0x110000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            digest = (digest ^ UInt64(classes.kind(of: scalar).rawValue)) &* 0x0000_0100_0000_01B3
        }
        #expect(digest == 0x5FB1_DEA8_0115_E232)
    }

    private func randomText(_ random: inout TestRandom) -> [Unicode.Scalar] {
        (0..<Int.random(in: 0...24, using: &random)).flatMap { _ -> [Unicode.Scalar] in
            guard Int.random(in: 0..<6, using: &random) == 0 else {
                return Array(Self.pieces.randomElement(using: &random)!.unicodeScalars)
            }
            return [Unicode.Scalar(UInt32.random(in: Self.ranges.randomElement(using: &random)!, using: &random))!]
        }
    }

    private static let pieces = [
        "'s", "'S", "'\u{17F}", "'re", "'lL", "'V", "'", " ", " ", "  ", "\n", "\r", "\r\n", "\t", "a", "Zz", "ß", "Q",
        "ǅ", "ʰ",
        "中", "か", "ب", "न", "\u{94D}", "\u{301}", "\u{20E3}", "7", "42", "½", "Ⅳ", "٣", ".", "…", "/", "_", "!?", "é",
        "\u{A0}",
        "\u{85}", "\u{B}", "\u{3000}", "\u{200B}", "\u{200D}", "😀", "\u{FE0F}", "\u{0}", "▁", "▁▁", "▁",
    ]
    private static let ranges: [ClosedRange<UInt32>] = [
        0...0x24F, 0x2B0...0x52F, 0x600...0x6FF, 0x900...0x97F, 0x1C80...0x1CCF, 0x2000...0x206F, 0x2150...0x218F,
        0x3000...0x30FF,
        0xA640...0xA7FF, 0xFE00...0xFE0F, 0x10780...0x107BF, 0x1D400...0x1D7FF, 0x1F300...0x1F340, 0x2EBF0...0x2EE60,
        0x323A0...0x323C0, 0xE0000...0xE01FF,
    ]

    /// The published expression itself, run by a backtracking engine. Its texts have no invalid UTF-8: no expression says what that
    /// is.
    @Test("pre-tokens are the matches of the regular expression", arguments: PreTokenPattern.allCases)
    func agreesWithTheRegularExpression(_ pattern: PreTokenPattern) {
        let expression = BacktrackingExpression(pattern.expression)
        var random = TestRandom(UInt64(pattern.rawValue.utf8.count))
        for _ in 0..<4000 {
            let text = randomText(&random)
            let expected = pieces(of: text, by: pattern).flatMap(expression.cut)
            let found = preTokens(of: Array(utf8(text)), by: pattern)
            #expect(found == expected.map(utf8), "\(text)")
        }
    }

    private func utf8(_ text: [Unicode.Scalar]) -> [UInt8] { Array(String(String.UnicodeScalarView(text)).utf8) }

    /// What `Digits` makes of a text before the expression.
    private func pieces(of text: [Unicode.Scalar], by pattern: PreTokenPattern) -> [[Unicode.Scalar]] {
        switch pattern {
        case .gpt2Digit: BacktrackingExpression(#"\p{N}"#).cut(text)
        case .gpt2Digits: BacktrackingExpression(#"\p{N}+"#).cut(text)
        default: [text]
        }
    }

    /// Whatever the bytes after a piece are, it ends no pre-token early: a space belongs to the next word, a contraction to two
    /// letters, a character to all its bytes.
    @Test("what a piece of a text decides is so in the whole", arguments: PreTokenPattern.allCases)
    func piecesDecideNothingEarly(_ pattern: PreTokenPattern) {
        let preTokenizer = PreTokenizer(pattern)
        var random = TestRandom(1), decided = 0
        for _ in 0..<3000 {
            var text = utf8(randomText(&random)) + [0x61]
            if Bool.random(using: &random) {
                text.insert(
                    UInt8.random(in: 128...255, using: &random), at: Int.random(in: 0...text.count, using: &random))
            }
            let whole = preTokenizer.end(of: text.span, from: 0, isWhole: true)
            for count in 1...text.count {
                let piece = Array(text[..<count])
                guard let end = preTokenizer.end(of: piece.span, from: 0, isWhole: false) else { continue }
                #expect(end == whole, "\(text), the first \(count)")
                decided += 1
            }
        }
        // Only `▁` ends a piece of that pattern.
        #expect(decided > (pattern == .metaspace ? 1_000 : 10_000))
    }
}
