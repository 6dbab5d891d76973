/// The different pre-tokens of a corpus as sequences of tokens, with how often each occurs.
package struct WordList {
    private var symbols: [UInt32] = []
    private var starts: [Int] = []
    private var lengths: [Int32] = []
    private var frequencies: [Int] = []

    package init() {}

    package var count: Int { starts.count }

    func frequency(_ word: Int) -> Int { frequencies[word] }

    func symbols(_ word: Int) -> ArraySlice<UInt32> { symbols[starts[word]..<starts[word] + Int(lengths[word])] }

    package mutating func append(_ word: [UInt32], frequency: Int) {
        starts.append(symbols.count)
        lengths.append(Int32(word.count))
        frequencies.append(frequency)
        symbols += word
    }

    /// Replaces `pair` by `token` in one word, from left to right, and tells each change of a neighborhood: the pair and
    /// how often more (1) or less (−1) it stands in the word.
    mutating func replace(_ pair: TokenPair, by token: UInt32, in word: Int, changed: (TokenPair, Int) -> Void) {
        let start = starts[word], end = start + Int(lengths[word])
        var read = start, write = start
        while read < end {
            guard read + 1 < end, symbols[read] == pair.left, symbols[read + 1] == pair.right else {
                symbols[write] = symbols[read]
                (read, write) = (read + 1, write + 1)
                continue
            }
            changed(pair, -1)
            if write > start {
                changed(TokenPair(left: symbols[write - 1], right: pair.left), -1)
                changed(TokenPair(left: symbols[write - 1], right: token), 1)
            }
            symbols[write] = token
            (read, write) = (read + 2, write + 1)
            if read < end {
                changed(TokenPair(left: pair.right, right: symbols[read]), -1)
                changed(TokenPair(left: token, right: symbols[read]), 1)
            }
        }
        lengths[word] = Int32(write - start)
    }
}
