/// Cuts text into pre-tokens by a pattern.
package struct PreTokenizer: Sendable {
    package let pattern: PreTokenPattern
    let classes = TextClasses()

    package init(_ pattern: PreTokenPattern) { self.pattern = pattern }

    /// A pre-token's end, and the end of what decided it.
    struct Match {
        var end: Int
        /// The character that begins here is the last that had a part in it, or an ending of a word at `end`.
        var reach: Int

        init(_ end: Int, reach: Int? = nil) {
            self.end = end
            self.reach = reach ?? end
        }
    }

    /// The end of a pre-token; nil if it could be another in a longer text.
    /// - Parameters:
    ///   - text: bytes of UTF-8, valid or not
    ///   - start: where the pre-token begins
    ///   - isWhole: whether nothing follows `text`
    @inline(__always)
    package func end(of text: Span<UInt8>, from start: Int, isWhole: Bool) -> Int? {
        let match = match(text, from: start)
        // A character has four bytes at most, and so has an apostrophe with the ending behind it.
        return isWhole || match.reach + 4 <= text.count ? match.end : nil
    }

    @inline(__always)
    private func match(_ text: Span<UInt8>, from start: Int) -> Match {
        switch pattern {
        case .gpt2, .gpt2Digit, .gpt2Digits: gpt2Match(text, from: start)
        case .llama3, .cl100k, .qwen2, .o200k: llama3Match(text, from: start)
        case .metaspace: metaspaceMatch(text, from: start)
        }
    }

    /// The end of the longest run of characters in `set` from `start` on.
    @inline(__always)
    func runEnd(_ text: Span<UInt8>, of set: TextClass, from start: Int) -> Int {
        var end = start
        while end < text.count {
            let next = classes.character(of: text, at: end)
            guard next.kind.isPart(of: set) else { break }
            end += next.length
        }
        return end
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at `start`; nil if none is there.
    /// - Parameter ignoringCase: as Unicode folds it, so that `ſ` is an s
    func contractionEnd(_ text: Span<UInt8>, from start: Int, ignoringCase: Bool) -> Int? {
        guard start + 1 < text.count, text[start] == UInt8(ascii: "'") else { return nil }
        let fold: UInt8 = ignoringCase ? 0x20 : 0
        switch text[start + 1] | fold {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        default: break
        }
        guard start + 2 < text.count else { return nil }
        switch (text[start + 1] | fold, text[start + 2] | fold) {
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 3
        default: return ignoringCase && text[start + 1] == 0xC5 && text[start + 2] == 0xBF ? start + 3 : nil
        }
    }
}
