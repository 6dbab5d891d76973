/// What the patterns of pre-tokens distinguish: general categories of Unicode 16.0, white space and line ends. A character
/// has exactly one of the members; a set of them stands for a class of a regular expression.
///
/// The version is that of the tables in Hugging Face `tokenizers` 0.23 and `tiktoken` 0.14. Characters of later versions are
/// `other`, as characters without an assignment are, so that a newer Swift cuts no text in another way.
package struct TextClass: OptionSet {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `\p{Lu}\p{Lt}`
    static let upper = TextClass(rawValue: 1)
    /// `\p{Ll}`
    static let lower = TextClass(rawValue: 2)
    /// `\p{Lm}\p{Lo}`
    static let caseless = TextClass(rawValue: 4)
    /// `\p{M}`
    static let mark = TextClass(rawValue: 8)
    /// `\p{N}`
    static let number = TextClass(rawValue: 16)
    /// `\s` but `\r` and `\n`
    static let blank = TextClass(rawValue: 32)
    /// `\r\n`
    static let newline = TextClass(rawValue: 64)
    static let other = TextClass(rawValue: 128)

    /// `\p{L}`
    static let letter: TextClass = [.upper, .lower, .caseless]
    /// `\s`
    static let space: TextClass = [.blank, .newline]
    /// `[^\s\p{L}\p{N}]`
    static let symbol: TextClass = [.mark, .other]

    @inline(__always)
    func isPart(of set: TextClass) -> Bool { rawValue & set.rawValue != 0 }
}

/// The classes of all characters.
package struct TextClasses: Sendable {
    /// Of the characters below U+40000; beyond are unassigned and private characters, tags and variation selectors.
    private let table: [UInt8]
    private static let shared = table()

    package init() { table = Self.shared }

    /// The class of the character that begins at `start`, and its length in bytes. A byte that begins no valid UTF-8
    /// sequence is a character of class `other` by itself.
    @inline(__always)
    func character(of text: Span<UInt8>, at start: Int) -> (kind: TextClass, length: Int) {
        let byte = text[start]
        guard byte >= 0x80 else { return (TextClass(rawValue: table[Int(byte)]), 1) }
        guard let (scalar, length) = text.decodedScalar(at: start) else { return (.other, 1) }
        return (kind(of: scalar), length)
    }

    @inline(__always)
    package func kind(of scalar: Unicode.Scalar) -> TextClass {
        let value = Int(scalar.value)
        guard value < table.count else { return 0xE0100...0xE01EF ~= value ? .mark : .other }
        return TextClass(rawValue: table[value])
    }

    /// Takes some 20 ms, once.
    private static func table() -> [UInt8] {
        (0..<0x40000).map { value in
            guard let scalar = Unicode.Scalar(UInt32(value)) else { return TextClass.other.rawValue }
            return kind(of: scalar.properties, scalar).rawValue
        }
    }

    private static func kind(of properties: Unicode.Scalar.Properties, _ scalar: Unicode.Scalar) -> TextClass {
        guard let age = properties.age, age <= (16, 0) else { return .other }
        // ʕ, the only character to which Unicode 17.0 gave another of these categories.
        if scalar == "\u{295}" { return .lower }
        switch properties.generalCategory {
        case .uppercaseLetter, .titlecaseLetter: return .upper
        case .lowercaseLetter: return .lower
        case .modifierLetter, .otherLetter: return .caseless
        case .nonspacingMark, .spacingMark, .enclosingMark: return .mark
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        default: break
        }
        guard properties.isWhitespace else { return .other }
        return scalar == "\r" || scalar == "\n" ? .newline : .blank
    }
}

extension Span<UInt8> {
    /// The Unicode Standard, table 3-7; nil where no well-formed sequence of two to four bytes begins.
    func decodedScalar(at start: Int) -> (Unicode.Scalar, length: Int)? {
        let lead = self[start]
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        guard lead >= 0xC2, lead <= 0xF4, start + length <= count else { return nil }
        var value = UInt32(lead) & (0x7F >> UInt32(length))
        for i in 1..<length {
            let byte = self[start + i]
            guard byte & 0xC0 == 0x80 else { return nil }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        let shortest: UInt32 = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80
        // Unicode.Scalar refuses surrogates and what is beyond U+10FFFF.
        guard value >= shortest, let scalar = Unicode.Scalar(value) else { return nil }
        return (scalar, length)
    }
}
