extension PreTokenizer {
    /// The alternatives of Llama 3's pattern, and of those that differ from it in one of them, in their order.
    func llama3Match(_ text: Span<UInt8>, from start: Int) -> Match {
        if pattern != .o200k, let end = contractionEnd(text, from: start, ignoringCase: true) { return Match(end) }
        let first = classes.character(of: text, at: start), next = start + first.length
        if let word = word(text, from: start, first.kind, next) { return word }
        if first.kind == .number { return Match(numberEnd(text, from: next)) }
        if first.kind.isPart(of: .symbol) { return symbols(text, from: next) }
        if text[start] == UInt8(ascii: " "), next < text.count {
            let second = classes.character(of: text, at: next)
            if second.kind.isPart(of: .symbol) { return symbols(text, from: next + second.length) }
        }
        return spaces(text, from: start)
    }

    /// `[^\r\n\p{L}\p{N}]?\p{L}+`
    @inline(__always)
    private func word(_ text: Span<UInt8>, from start: Int, _ first: TextClass, _ next: Int) -> Match? {
        if pattern == .o200k { return o200kWord(text, from: start, first, next) }
        if first.isPart(of: .letter) { return Match(runEnd(text, of: .letter, from: next)) }
        guard !first.isPart(of: [.newline, .number]) else { return nil }
        let end = runEnd(text, of: .letter, from: next)
        return end > next ? Match(end) : nil
    }

    /// The rest of `\p{N}{1,3}`, or of `\p{N}`.
    private func numberEnd(_ text: Span<UInt8>, from second: Int) -> Int {
        var end = second, digits = 1
        let most = pattern == .qwen2 ? 1 : 3
        while digits < most, end < text.count {
            let next = classes.character(of: text, at: end)
            guard next.kind == .number else { break }
            end += next.length
            digits += 1
        }
        return end
    }

    /// The rest of `[^\s\p{L}\p{N}]+[\r\n]*`, with `o200k` of `[^\s\p{L}\p{N}]+[\r\n/]*`.
    private func symbols(_ text: Span<UInt8>, from second: Int) -> Match {
        var end = runEnd(text, of: .symbol, from: second)
        while end < text.count {
            let byte = text[end]
            guard byte == 0x0A || byte == 0x0D || byte == UInt8(ascii: "/") && pattern == .o200k else { break }
            end += 1
        }
        return Match(end)
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: white space up to its last line end; without one, up to the character that is left to the
    /// word behind it.
    private func spaces(_ text: Span<UInt8>, from start: Int) -> Match {
        var last = start, end = start
        var lastNewline: Int?
        while end < text.count {
            let next = classes.character(of: text, at: end)
            guard next.kind.isPart(of: .space) else { break }
            last = end
            end += next.length
            if next.kind == .newline { lastNewline = end }
        }
        if pattern == .cl100k, end == text.count { return Match(end) }
        if let lastNewline { return Match(lastNewline, reach: end) }
        return Match(end == text.count || last == start ? end : last, reach: end)
    }
}
