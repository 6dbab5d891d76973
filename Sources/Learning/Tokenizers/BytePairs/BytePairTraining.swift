/// Learns byte-pair merges from the pre-tokens of a corpus: again and again the most frequent pair of neighbors becomes
/// a token.
///
/// Ties go to the pair with the lower left token, then the lower right one. A pair that would spell a token anew is
/// passed over, so that a file of merges says each token once. Counts are kept up to date merge by merge, and pairs wait
/// in a heap by the count they had when last looked at; since the count of a pair only falls after the step that made it,
/// an outdated one is put back and the first that is up to date is the largest. O(corpus + merges · occurrences).
package struct BytePairTraining {
    private var words: WordList
    private var pairs = PairTable()
    private var pairOf: [TokenPair] = []
    private var counts: [Int] = []
    /// Words in which each pair stood when it was made; it may be gone from some.
    private var occurrences: [[Int32]] = []
    private var queue = Heap<Candidate>()
    private var spellings: [[UInt8]]
    private var known: Set<[UInt8]>
    package private(set) var merges: [TokenPair] = []

    /// Ordered so that the next merge comes first.
    private struct Candidate: Comparable {
        var count: Int
        var pair: TokenPair
        var index: Int

        static func < (a: Candidate, b: Candidate) -> Bool { a.count != b.count ? a.count > b.count : a.pair < b.pair }
    }

    package init(_ words: WordList) {
        self.words = words
        spellings = PrintableBytes().byteOfToken.map { [$0] }
        known = Set(spellings)
        for word in 0..<words.count {
            let symbols = words.symbols(word)
            for (left, right) in zip(symbols, symbols.dropFirst()) {
                count(TokenPair(left: left, right: right), by: words.frequency(word), in: word)
            }
        }
        enqueue(from: 0)
    }

    /// The next merge; nil when no pair stands twice any more.
    package mutating func learn() -> TokenPair? {
        while let candidate = queue.removeFirst() {
            let current = counts[candidate.index]
            if current < candidate.count {
                queue.insert(Candidate(count: current, pair: candidate.pair, index: candidate.index))
                continue
            }
            guard current >= 2 else { return nil }
            let spelling = spellings[Int(candidate.pair.left)] + spellings[Int(candidate.pair.right)]
            guard known.insert(spelling).inserted else { continue }
            apply(candidate.pair, candidate.index, to: UInt32(spellings.count))
            spellings.append(spelling)
            merges.append(candidate.pair)
            return candidate.pair
        }
        return nil
    }

    private mutating func apply(_ pair: TokenPair, _ index: Int, to token: UInt32) {
        let firstNew = counts.count
        let places = occurrences[index]
        occurrences[index] = []
        var words = WordList()
        swap(&words, &self.words)
        for word in places {
            let frequency = words.frequency(Int(word))
            words.replace(pair, by: token, in: Int(word)) { changed, sign in
                count(changed, by: sign * frequency, in: Int(word))
            }
        }
        swap(&words, &self.words)
        enqueue(from: firstNew)
    }

    private mutating func count(_ pair: TokenPair, by change: Int, in word: Int) {
        let index = pairs.insert(pair, counts.count)
        if index == counts.count {
            pairOf.append(pair)
            counts.append(0)
            occurrences.append([])
        }
        counts[index] += change
        if change > 0, occurrences[index].last != Int32(word) { occurrences[index].append(Int32(word)) }
    }

    private mutating func enqueue(from first: Int) {
        for index in first..<counts.count where counts[index] >= 2 {
            queue.insert(Candidate(count: counts[index], pair: pairOf[index], index: index))
        }
    }
}
