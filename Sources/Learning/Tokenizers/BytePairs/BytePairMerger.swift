/// Applies merges to one pre-token: always the earliest-learned one that applies, leftmost first.
///
/// Symbols form a linked list. In a short pre-token the merges of all pairs stand in an array, whose smallest is looked for without a
/// branch; in a longer one they wait in a heap: O(n log n), also for a pre-token of a million bytes.
struct BytePairMerger {
    private let merges: MergeTable
    private let tokenOfByte: [UInt32]
    private(set) var symbols: [UInt32] = []
    private var short = ShortMerger()
    private var next: [Int32] = []
    private var previous: [Int32] = []
    private var waiting = Heap<Candidate>()

    /// The merge of the symbol at `position` with its neighbor.
    private struct Candidate: Comparable {
        var rank: UInt32
        var position: Int32

        static func < (a: Candidate, b: Candidate) -> Bool { (a.rank, a.position) < (b.rank, b.position) }
    }

    init(_ merges: MergeTable, tokenOfByte: [UInt32]) {
        self.merges = merges
        self.tokenOfByte = tokenOfByte
    }

    mutating func load(_ token: UInt32) {
        symbols.removeAll(keepingCapacity: true)
        symbols.append(token)
    }

    /// Merges what `symbols` are.
    mutating func merge(_ symbols: [UInt32]) {
        self.symbols = symbols
        if symbols.count <= ShortMerger.longest {
            short.load(symbols, merges)
            short.merge(merges, into: &self.symbols)
        } else {
            mergeByHeap()
        }
    }

    /// Merges the bytes in `range` of `text`.
    mutating func merge(_ text: Span<UInt8>, _ range: Range<Int>) {
        if range.count <= ShortMerger.longest {
            short.load(text, range, tokenOfByte, merges)
            short.merge(merges, into: &symbols)
        } else {
            symbols.removeAll(keepingCapacity: true)
            for place in range { symbols.append(tokenOfByte[Int(text[place])]) }
            mergeByHeap()
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
            guard rank(at: left) == candidate.rank else { continue }
            let beyond = next[Int(right)]
            symbols[Int(left)] = merges.result(of: candidate.rank)
            next[Int(left)] = beyond
            next[Int(right)] = -1
            if beyond < count { previous[Int(beyond)] = left }
            consider(left)
            if previous[Int(left)] >= 0 { consider(previous[Int(left)]) }
        }
        symbols = remaining()
    }

    /// The rank of the merge of the symbol at `position` and the one after it.
    private func rank(at position: Int32) -> UInt32 {
        let right = next[Int(position)]
        guard right >= 0, right < symbols.count else { return MergeTable.none }
        return merges.rank(symbols[Int(position)], symbols[Int(right)])
    }

    private mutating func consider(_ position: Int32) {
        let rank = rank(at: position)
        guard rank != MergeTable.none else { return }
        waiting.insert(Candidate(rank: rank, position: position))
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
