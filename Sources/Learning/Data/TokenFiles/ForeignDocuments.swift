/// Where the documents of another trainer's file end: where the file says so, or behind an end-of-text token. One of nothing but
/// end-of-text tokens is joined to the next.
struct ForeignDocuments {
    private let ends: [Int]?
    private let count: Int
    private let endOfText: Int
    /// The first of `ends` that is not passed.
    private var boundary = 0
    private var hasText = false

    init(of file: ForeignTokenFile, endOfText: Int) {
        (ends, count, self.endOfText) = (file.ends, file.count, endOfText)
    }

    /// Whether a document ends behind `token`, the next one of the file, at `position`.
    mutating func ends(with token: Int, at position: Int) -> Bool {
        hasText = hasText || token != endOfText
        let isDone = position + 1 == count || isEnd(token, position) && hasText
        if isDone { hasText = false }
        return isDone
    }

    private mutating func isEnd(_ token: Int, _ position: Int) -> Bool {
        guard let ends else { return token == endOfText }
        while boundary < ends.count, ends[boundary] <= position { boundary += 1 }
        return boundary < ends.count && ends[boundary] == position + 1
    }
}
