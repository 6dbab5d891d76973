/// Applies merges to one pre-token: always the earliest-learned one that applies, leftmost first.
///
/// Symbols form a linked list and the merges that apply wait in a heap: O(n log n), also for a pre-token of a million
/// bytes. Short ones search all their pairs instead, which is faster for them.
struct BytePairMerger {
    private let ranks: PairTable
    /// The token that a merge makes, by rank.
    private let results: [UInt32]
    private(set) var symbols: [UInt32] = []
    /// Of each symbol with the next one, `none` if they do not merge.
    private var pairRanks: [UInt32] = []
    private static let none = UInt32.max
    private var next: [Int32] = []
    private var previous: [Int32] = []
    private var waiting = Heap<Candidate>()

    private static let longestSearched = 64

    /// The merge of the symbol at `position` with its neighbor.
    private struct Candidate: Comparable {
        var rank: UInt32
        var position: Int32

        static func < (a: Candidate, b: Candidate) -> Bool { (a.rank, a.position) < (b.rank, b.position) }
    }

    init(_ ranks: PairTable, _ results: [UInt32]) {
        self.ranks = ranks
        self.results = results
    }

    mutating func load(_ token: UInt32) {
        symbols.removeAll(keepingCapacity: true)
        symbols.append(token)
    }

    mutating func load(_ symbols: [UInt32]) { self.symbols = symbols }

    /// Loads the bytes in `range` of `text` as the tokens that `tokenOfByte` gives.
    mutating func load(_ text: Span<UInt8>, _ range: Range<Int>, as tokenOfByte: [UInt32]) {
        symbols.removeAll(keepingCapacity: true)
        for place in range { symbols.append(tokenOfByte[Int(text[place])]) }
    }

    mutating func merge() {
        if symbols.count <= Self.longestSearched { mergeBySearch() } else { mergeByHeap() }
    }

    /// Keeps the rank of every pair of neighbors: a merge changes two of them.
    private mutating func mergeBySearch() {
        pairRanks.removeAll(keepingCapacity: true)
        guard symbols.count > 1 else { return }
        for i in 1..<symbols.count { pairRanks.append(rank(symbols[i - 1], symbols[i])) }
        while true {
            var best = Self.none, position = 0
            for i in pairRanks.indices where pairRanks[i] < best { (best, position) = (pairRanks[i], i) }
            guard best < Self.none else { return }
            symbols[position] = results[Int(best)]
            symbols.remove(at: position + 1)
            pairRanks.remove(at: position)
            if position < pairRanks.count { pairRanks[position] = rank(symbols[position], symbols[position + 1]) }
            if position > 0 { pairRanks[position - 1] = rank(symbols[position - 1], symbols[position]) }
        }
    }

    @inline(__always)
    private func rank(_ left: UInt32, _ right: UInt32) -> UInt32 {
        ranks[TokenPair(left: left, right: right)].map(UInt32.init(truncatingIfNeeded:)) ?? Self.none
    }

    private mutating func mergeByHeap() {
        let count = Int32(symbols.count)
        next = Array(1...count)
        previous = Array(-1..<count - 1)
        waiting.removeAll()
        for i in 0..<count - 1 { consider(i) }
        while let candidate = waiting.removeFirst() {
            let left = candidate.position, right = next[Int(left)]
            // An earlier merge may have taken either symbol: then the pair here is another one, or none.
            guard rank(at: left) == Int(candidate.rank) else { continue }
            let beyond = next[Int(right)]
            symbols[Int(left)] = results[Int(candidate.rank)]
            next[Int(left)] = beyond
            next[Int(right)] = -1
            if beyond < count { previous[Int(beyond)] = left }
            consider(left)
            if previous[Int(left)] >= 0 { consider(previous[Int(left)]) }
        }
        symbols = remaining()
    }

    /// The rank of the merge of the symbol at `position` and the one after it.
    private func rank(at position: Int32) -> Int? {
        let right = next[Int(position)]
        guard right >= 0, right < symbols.count else { return nil }
        return ranks[TokenPair(left: symbols[Int(position)], right: symbols[Int(right)])]
    }

    private mutating func consider(_ position: Int32) {
        guard let rank = rank(at: position) else { return }
        waiting.insert(Candidate(rank: UInt32(rank), position: position))
    }

    private func remaining() -> [UInt32] {
        var result: [UInt32] = [], position = 0
        while position < symbols.count {
            result.append(symbols[position])
            position = Int(next[position])
        }
        return result
    }
}
