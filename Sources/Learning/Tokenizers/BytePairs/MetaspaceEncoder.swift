/// How a vocabulary over characters, as SentencePiece makes it, spells texts: a blank is `▁` (U+2581), one stands before the text,
/// and a character without a token is the tokens of its bytes.
package struct Metaspace: Sendable, Equatable {
    /// The id of the token of the byte 0; those of the others follow.
    package var firstByteToken: Int
    /// Whether `▁` is put before a text that begins with a blank, too.
    package var prependsAlways: Bool

    static let mark: [UInt8] = [0xE2, 0x96, 0x81]

    /// As vocabularies call the token of a byte: `<0x0A>`.
    package static func nameOfByte(_ byte: Int) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x\(digits.count == 1 ? "0" : "")\(digits)>"
    }

    package var byteTokens: Range<Int> { firstByteToken..<firstByteToken + 256 }
}

/// Gives `inner` the text with `▁` for blanks and one before it.
struct MetaspaceEncoder<Inner: TokenEncoder>: TokenEncoder {
    private let metaspace: Metaspace
    private var inner: Inner
    /// Spelled text that `inner` has left.
    private var pending: [UInt8] = []
    private var isBeginning = true

    init(_ metaspace: Metaspace, _ inner: Inner) {
        self.metaspace = metaspace
        self.inner = inner
    }

    mutating func beginBehindCut() { isBeginning = false }

    mutating func encode(_ text: Span<UInt8>, isEnd: Bool, into tokens: inout [UInt32]) -> Int {
        let mark = Metaspace.mark
        // Three bytes tell whether the text begins with the mark itself.
        guard !isBeginning || isEnd || text.count >= mark.count else { return 0 }
        var ready: [UInt8] = []
        swap(&ready, &pending)
        if isBeginning, !text.isEmpty {
            let hasMark =
                text[0] == UInt8(ascii: " ")
                || text.count >= mark.count && mark.indices.allSatisfy { text[$0] == mark[$0] }
            if metaspace.prependsAlways || !hasMark { ready += mark }
        }
        for place in text.indices {
            if text[place] == UInt8(ascii: " ") { ready += mark } else { ready.append(text[place]) }
        }
        ready.removeFirst(inner.encode(ready.span, isEnd: isEnd, into: &tokens))
        pending = ready
        isBeginning = isEnd || isBeginning && text.isEmpty
        return text.count
    }
}

extension PreTokenizer {
    /// `▁*[^▁]+|▁+`: of tokens that have `▁` only in front, none reaches beyond such a piece.
    func metaspaceMatch(_ text: Span<UInt8>, from start: Int) -> Match {
        var end = start
        while isMark(text, at: end) { end += Metaspace.mark.count }
        while end < text.count, !isMark(text, at: end) { end += 1 }
        return Match(end)
    }

    @inline(__always)
    private func isMark(_ text: Span<UInt8>, at place: Int) -> Bool {
        place + 3 <= text.count && text[place] == 0xE2 && text[place + 1] == 0x96 && text[place + 2] == 0x81
    }
}
