extension PreTokenizer {
    /// Characters behind a cut have at most this many bytes.
    private static let longestCharacter = 4

    /// The last place where a pre-token ends whatever surrounds `text`: behind a letter or a number and before what can belong to
    /// neither.
    ///
    /// No pattern has a character behind a letter in the same pre-token but letters, marks and the apostrophe of a contraction, nor
    /// one behind a number but numbers; and none looks back. What is behind such a cut is neither a mark nor a letter, so that no
    /// form of normalization joins it to what is before.
    /// - Parameters:
    ///   - text: UTF-8, or any bytes
    ///   - isTaken: whether a place is no cut for another reason
    /// - Returns: a place in `1..<text.count`; nil if there is none
    package func lastCut(in text: Span<UInt8>, except isTaken: (Int) -> Bool) -> Int? {
        var place = text.count - Self.longestCharacter
        while place > 0 {
            if isCut(text, place), !isTaken(place) { return place }
            place -= 1
        }
        return nil
    }

    private func isCut(_ text: Span<UInt8>, _ place: Int) -> Bool {
        // A byte in the middle of a character is a symbol by itself, and what is before it then ends elsewhere.
        let next = classes.character(of: text, at: place).kind
        guard next != .mark, !next.isPart(of: .letter), text[place] != UInt8(ascii: "'") else { return false }
        if pattern == .metaspace, text[place] != UInt8(ascii: " ") { return false }
        guard let last = characterEnding(at: place, in: text) else { return false }
        return last.isPart(of: .letter) || last == .number && next != .number
    }

    /// The class of the character that ends at `place`; nil for a byte that is none.
    private func characterEnding(at place: Int, in text: Span<UInt8>) -> TextClass? {
        for length in 1...min(Self.longestCharacter, place) {
            guard text[place - length] & 0xC0 != 0x80 else { continue }
            let found = classes.character(of: text, at: place - length)
            return found.length == length ? found.kind : nil
        }
        return nil
    }
}
