extension PreTokenizer {
    /// The alternatives of GPT-2's pattern, by the character that a pre-token begins with.
    func gpt2Match(_ text: Span<UInt8>, from start: Int) -> Match {
        let first = classes.character(of: text, at: start)
        if first.kind.isPart(of: .space) {
            let next = start + 1
            if text[start] == UInt8(ascii: " "), next < text.count {
                let second = classes.character(of: text, at: next)
                if !second.kind.isPart(of: .space), !endsPiece(second.kind) {
                    return run(text, with: second.kind, from: next + second.length)
                }
            }
            return spaces(text, from: start, firstLength: first.length)
        }
        if let end = contractionEnd(text, from: start, ignoringCase: false) { return Match(end) }
        if pattern == .gpt2Digit, first.kind == .number { return Match(start + first.length) }
        return run(text, with: first.kind, from: start + first.length)
    }

    /// Whether a character of this class begins a piece of its own, so that the text before it ends there.
    @inline(__always)
    private func endsPiece(_ kind: TextClass) -> Bool { pattern != .gpt2 && kind == .number }

    @inline(__always)
    private func run(_ text: Span<UInt8>, with kind: TextClass, from start: Int) -> Match {
        let set: TextClass = kind.isPart(of: .letter) ? .letter : kind == .number ? .number : .symbol
        return Match(runEnd(text, of: set, from: start))
    }

    /// `\s+(?!\S)|\s+`: a run of white space leaves its last character to the word that follows, unless it is the only one.
    private func spaces(_ text: Span<UInt8>, from start: Int, firstLength: Int) -> Match {
        var last = start, end = start + firstLength
        while end < text.count {
            let next = classes.character(of: text, at: end)
            guard next.kind.isPart(of: .space) else {
                return Match(endsPiece(next.kind) || last == start ? end : last, reach: end)
            }
            last = end
            end += next.length
        }
        return Match(end)
    }
}
