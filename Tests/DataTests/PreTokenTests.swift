import Configuration
import Foundation
import Testing
import Tokenizers

@Suite struct PreTokenTests {
    private func words(_ text: String) -> [String] {
        preTokens(of: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
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

    /// The published pattern itself, run by another engine. What Unicode calls white space is spelt out, because that
    /// engine's `\s` is narrower.
    @Test func agreesWithTheRegularExpression() throws {
        let space = #"[\t-\r\x85\p{Z}]"#
        let pattern =
            #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\t-\r\x85\p{Z}\p{L}\p{N}]+|"#
            + "\(space)+(?![^\\t-\\r\\x85\\p{Z}])|\(space)+"
        let expression = try NSRegularExpression(pattern: pattern)
        var random = TestRandom(0)
        let pieces = [
            "'s", "'re", "'", " ", "  ", "\n", "\t", "a", "Zz", "7", "½", ".", "…", "é", "\u{A0}", "\u{85}", "\u{B}",
        ]
        let ranges: [ClosedRange<UInt32>] = [
            0x1...0x24F, 0x370...0x3FF, 0x2000...0x206F, 0x4E00...0x4E40, 0x1F300...0x1F340,
        ]
        for _ in 0..<300 {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ -> String in
                guard Bool.random(using: &random) else { return pieces.randomElement(using: &random)! }
                let range = ranges.randomElement(using: &random)!
                return String(Unicode.Scalar(UInt32.random(in: range, using: &random))!)
            }.joined()
            let whole = NSRange(location: 0, length: (text as NSString).length)
            let expected = expression.matches(in: text, range: whole).map {
                (text as NSString).substring(with: $0.range)
            }
            #expect(
                words(text).map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(Array(text.unicodeScalars))")
        }
    }

    /// Whatever the bytes after a piece are, it ends no pre-token early: a space belongs to the next word, a contraction to two
    /// letters, a character to all its bytes.
    @Test("what a piece of a text decides is so in the whole") func piecesDecideNothingEarly() {
        var random = TestRandom(1)
        let pieces = [
            "a", "'", "l", "s", " ", "  ", "\n", "\u{A0}", "\u{2009}", "\u{3000}", "é", "日", "😀", "7", "½", "…",
        ]
        var decided = 0
        for _ in 0..<5000 {
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                text += pieces.randomElement(using: &random)!.utf8
                if Int.random(in: 0..<12, using: &random) == 0 {
                    text.append(UInt8.random(in: 128...255, using: &random))
                }
            }
            let span = text.span, whole = span.preTokenEnd(from: 0)
            #expect(span.preTokenEnd(from: 0, isWhole: true) == whole)
            for count in 1...text.count {
                let piece = Array(text[..<count])
                let span = piece.span
                guard let end = span.preTokenEnd(from: 0, isWhole: false) else { continue }
                #expect(end == whole, "\(text), the first \(count)")
                decided += 1
            }
        }
        #expect(decided > 10_000)
    }
}
