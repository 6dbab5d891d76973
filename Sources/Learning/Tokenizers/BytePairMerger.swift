/// Applies merges to one pre-token: always the earliest-learned one that applies, leftmost first.
///
/// Symbols form a linked list and the merges that apply wait in a heap: O(n log n), also for a pre-token of a million
/// bytes. Short ones search all their pairs instead, which is faster for them.
struct BytePairMerger {
    private let merged: PairTable
    private(set) var symbols: [UInt32] = []
    private var next: [Int32] = []
    private var previous: [Int32] = []
    private var waiting = Heap<Candidate>()

    private static let longestSearched = 64

    /// A merge to `token` of the symbol at `position` with its neighbor.
    private struct Candidate: Comparable {
        var token: UInt32
        var position: Int32

        static func < (a: Candidate, b: Candidate) -> Bool { (a.token, a.position) < (b.token, b.position) }
    }

    init(_ merged: PairTable) { self.merged = merged }

    mutating func load(_ symbols: [UInt32]) { self.symbols = symbols }

    mutating func merge() {
        if symbols.count <= Self.longestSearched { mergeBySearch() } else { mergeByHeap() }
    }

    private mutating func mergeBySearch() {
        while symbols.count > 1 {
            var best = Int.max, position = 0
            for i in 1..<symbols.count {
                guard let token = merged[TokenPair(left: symbols[i - 1], right: symbols[i])], token < best else {
                    continue
                }
                (best, position) = (token, i - 1)
            }
            guard best < Int.max else { return }
            symbols[position] = UInt32(best)
            symbols.remove(at: position + 1)
        }
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
            guard token(at: left) == Int(candidate.token) else { continue }
            let beyond = next[Int(right)]
            symbols[Int(left)] = candidate.token
            next[Int(left)] = beyond
            next[Int(right)] = -1
            if beyond < count { previous[Int(beyond)] = left }
            consider(left)
            if previous[Int(left)] >= 0 { consider(previous[Int(left)]) }
        }
        symbols = remaining()
    }

    /// What the symbol at `position` and the one after it merge to.
    private func token(at position: Int32) -> Int? {
        let right = next[Int(position)]
        guard right >= 0, right < symbols.count else { return nil }
        return merged[TokenPair(left: symbols[Int(position)], right: symbols[Int(right)])]
    }

    private mutating func consider(_ position: Int32) {
        guard let token = token(at: position) else { return }
        waiting.insert(Candidate(token: UInt32(token), position: position))
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
