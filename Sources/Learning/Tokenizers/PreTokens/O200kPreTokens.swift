extension PreTokenizer {
    private static let upper: TextClass = [.upper, .caseless, .mark]
    private static let lower: TextClass = [.lower, .caseless, .mark]

    /// With U = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, V = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]` and X = `[^\r\n\p{L}\p{N}]`: `X?U*V+`, or else
    /// `X?U+V*`, and a contraction behind either. A mark may be X, U or V, so that both are tried with X and without.
    func o200kWord(_ text: Span<UInt8>, from start: Int, _ first: TextClass, _ next: Int) -> Match? {
        guard !first.isPart(of: [.newline, .number]) else { return nil }
        let isLetter = first.isPart(of: .letter), isMark = first == .mark
        var word = Word(end: start, reach: start, hasLower: false)
        if !isLetter { word = self.word(text, from: next) }
        if isLetter || isMark && !word.hasLower {
            let reach = word.reach
            word = self.word(text, from: start)
            word.reach = max(reach, word.reach)
        }
        guard word.end > (isLetter || isMark ? start : next) else { return nil }
        let end = contractionEnd(text, from: word.end, ignoringCase: true) ?? word.end
        return Match(end, reach: max(end, word.reach))
    }

    private struct Word {
        var end: Int
        var reach: Int
        /// Whether it is `U*V+`; otherwise `U+`, or nothing.
        var hasLower: Bool
    }

    /// `U*V+|U+V*`: where no character of V follows the longest `U*`, the last one within it that is of V ends the match.
    private func word(_ text: Span<UInt8>, from start: Int) -> Word {
        var end = start
        var lastOfBoth: Int?
        while end < text.count {
            let next = classes.character(of: text, at: end)
            guard next.kind.isPart(of: Self.upper) else { break }
            end += next.length
            if next.kind.isPart(of: Self.lower) { lastOfBoth = end }
        }
        let lowerEnd = runEnd(text, of: Self.lower, from: end)
        if lowerEnd > end { return Word(end: lowerEnd, reach: lowerEnd, hasLower: true) }
        return Word(end: lastOfBoth ?? end, reach: end, hasLower: lastOfBoth != nil)
    }
}
