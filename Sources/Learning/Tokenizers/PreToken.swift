extension Span<UInt8> {
    /// The end of the pre-token that begins at `start`, by GPT-2's rule, whose alternatives are tried in this order:
    ///
    ///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
    ///
    /// Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), `encoder.py` of its code.
    package func preTokenEnd(from start: Int) -> Int {
        let first = character(at: start)
        if first.kind == .space {
            let next = start + 1
            if self[start] == UInt8(ascii: " "), next < count {
                let second = character(at: next)
                if second.kind != .space { return runEnd(of: second.kind, from: next + second.length) }
            }
            return spaceEnd(from: start, firstLength: first.length)
        }
        if self[start] == UInt8(ascii: "'"), let end = contractionEnd(from: start) { return end }
        return runEnd(of: first.kind, from: start + first.length)
    }

    /// The end of the pre-token that begins at `start`; nil if it could be another in a longer text.
    /// - Parameter isWhole: whether nothing follows
    @inline(__always)
    package func preTokenEnd(from start: Int, isWhole: Bool) -> Int? {
        let end = preTokenEnd(from: start)
        // Beyond the end of a pre-token two characters decide at most, of four bytes each: a space that is left to the word
        // which follows, and the first one of this word.
        return isWhole || end + 8 <= count ? end : nil
    }

    @inline(__always)
    private func runEnd(of kind: TextClass, from start: Int) -> Int {
        var end = start
        while end < count {
            let next = character(at: end)
            guard next.kind == kind else { break }
            end += next.length
        }
        return end
    }

    /// `\s+(?!\S)|\s+`: a run of spaces leaves its last one to the word that follows, unless it is the only one.
    private func spaceEnd(from start: Int, firstLength: Int) -> Int {
        var last = start, end = start + firstLength
        while end < count {
            let next = character(at: end)
            guard next.kind == .space else { return last > start ? last : end }
            last = end
            end += next.length
        }
        return end
    }

    private func contractionEnd(from start: Int) -> Int? {
        guard start + 1 < count else { return nil }
        let second = self[start + 1]
        if [UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d")].contains(second) {
            return start + 2
        }
        guard start + 2 < count else { return nil }
        switch (second, self[start + 2]) {
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 3
        default: return nil
        }
    }
}
