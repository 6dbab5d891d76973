/// Finds added tokens in a text: the leftmost, and of those that begin there the longest.
struct AddedTokenSearch: Sendable {
    private let tokens: [(content: [UInt8], id: UInt32)]
    /// The places in `tokens`, the longest first, of those that begin with a byte.
    private let beginning: [[Int]]
    let longest: Int

    /// - Returns: nil if there are none
    init?(_ added: [AddedToken]) {
        let tokens = added.map { (content: Array($0.content.utf8), id: UInt32($0.id)) }
            .filter { !$0.content.isEmpty }.sorted { $0.content.count > $1.content.count }
        guard let first = tokens.first else { return nil }
        var beginning = [[Int]](repeating: [], count: 256)
        for (place, token) in tokens.enumerated() { beginning[Int(token.content[0])].append(place) }
        (self.tokens, self.beginning, longest) = (tokens, beginning, first.content.count)
    }

    func first(in text: Span<UInt8>, from start: Int) -> (range: Range<Int>, id: UInt32)? {
        for place in start..<text.count {
            for candidate in beginning[Int(text[place])] {
                let content = tokens[candidate].content
                guard place + content.count <= text.count else { continue }
                if content.indices.allSatisfy({ text[place + $0] == content[$0] }) {
                    return (place..<place + content.count, tokens[candidate].id)
                }
            }
        }
        return nil
    }

    /// Whether a token stands, or begins, before `place` and ends there or behind it.
    func reaches(_ place: Int, in text: Span<UInt8>) -> Bool {
        (max(0, place - longest)..<place).contains { start in
            beginning[Int(text[start])].contains { candidate in
                let content = tokens[candidate].content, end = start + content.count
                return end >= place
                    && (start..<min(end, text.count)).allSatisfy { text[$0] == content[$0 - start] }
            }
        }
    }
}

/// Takes added tokens out of a text; what is between two of them is a text of its own for `inner`.
struct AddedTokenEncoder<Inner: TokenEncoder>: TokenEncoder {
    private let search: AddedTokenSearch
    private var inner: Inner

    init(_ search: AddedTokenSearch, between inner: Inner) {
        self.search = search
        self.inner = inner
    }

    mutating func beginBehindCut() { inner.beginBehindCut() }

    mutating func encode(_ text: Span<UInt8>, isEnd: Bool, into tokens: inout [UInt32]) -> Int {
        // A token that begins here or later could be a longer one in a longer text.
        let decided = isEnd ? text.count : text.count - search.longest
        var position = 0
        while let found = search.first(in: text, from: position), found.range.lowerBound <= decided {
            _ = inner.encode(text.extracting(position..<found.range.lowerBound), isEnd: true, into: &tokens)
            tokens.append(found.id)
            position = found.range.upperBound
        }
        guard position < decided || isEnd else { return position }
        return position + inner.encode(text.extracting(position..<decided), isEnd: isEnd, into: &tokens)
    }
}
