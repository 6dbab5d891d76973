/// What GPT-2's pre-tokenization tells apart: `\p{L}`, `\p{N}`, `\s` and everything else.
enum TextClass {
    case letter, number, space, other
}

extension Span<UInt8> {
    /// The class of the character that begins at `start` and how many bytes it has. A byte that begins no valid UTF-8
    /// sequence is a character of class `other` by itself.
    @inline(__always)
    func character(at start: Int) -> (kind: TextClass, length: Int) {
        let byte = self[start]
        guard byte < 0x80 else { return characterBeyondASCII(at: start) }
        if (byte | 0x20) &- UInt8(ascii: "a") < 26 { return (.letter, 1) }
        if byte == 0x20 || byte &- 9 < 5 { return (.space, 1) }
        return (byte &- UInt8(ascii: "0") < 10 ? .number : .other, 1)
    }

    private func characterBeyondASCII(at start: Int) -> (kind: TextClass, length: Int) {
        guard let (scalar, length) = decodedScalar(at: start) else { return (.other, 1) }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return (.letter, length)
        case .decimalNumber, .letterNumber, .otherNumber: return (.number, length)
        default: return (scalar.properties.isWhitespace ? .space : .other, length)
        }
    }

    /// The Unicode Standard, table 3-7; nil where no well-formed sequence of two to four bytes begins.
    private func decodedScalar(at start: Int) -> (Unicode.Scalar, length: Int)? {
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
