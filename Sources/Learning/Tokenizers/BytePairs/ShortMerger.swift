/// Merges a short pre-token, in memory of fixed size.
struct ShortMerger {
    static let longest = 64

    private var count = 0
    private var symbols = [UInt32](repeating: 0, count: longest)
    /// `rank · 64 + position` of each symbol's merge with the next one, so that the smallest is the merge to apply; `none` without one.
    private var keys = [UInt64](repeating: none, count: longest)
    private static let none = UInt64.max
    /// Of each symbol that is left, the one behind and before it; `count` behind the last.
    private var next = [UInt8](repeating: 0, count: longest)
    private var previous = [UInt8](repeating: 0, count: longest)

    mutating func load(_ text: Span<UInt8>, _ range: Range<Int>, _ tokenOfByte: [UInt32], _ merges: MergeTable) {
        begin(range.count)
        var before: UInt8 = 0
        for i in 0..<count {
            let byte = text[range.lowerBound + i]
            symbols[i] = tokenOfByte[Int(byte)]
            if i > 0 { keys[i - 1] = Self.key(merges.rank(ofBytes: before, byte), i - 1) }
            before = byte
        }
        link()
    }

    mutating func load(_ symbols: [UInt32], _ merges: MergeTable) {
        begin(symbols.count)
        for i in 0..<count {
            self.symbols[i] = symbols[i]
            if i > 0 { keys[i - 1] = Self.key(merges.rank(symbols[i - 1], symbols[i]), i - 1) }
        }
        link()
    }

    private mutating func begin(_ count: Int) {
        precondition(count <= Self.longest)
        self.count = count
    }

    private mutating func link() {
        guard count > 0 else { return }
        keys[count - 1] = Self.none
        for i in 0..<count { (next[i], previous[i]) = (UInt8(i + 1), UInt8(truncatingIfNeeded: i - 1)) }
    }

    /// Leaves what is left in `result`.
    mutating func merge(_ merges: MergeTable, into result: inout [UInt32]) {
        while let key = smallestKey() {
            let left = Int(key % 64), right = Int(next[left]), beyond = Int(next[right])
            symbols[left] = merges.result(of: UInt32(key / 64))
            keys[right] = Self.none
            next[left] = UInt8(beyond)
            keys[left] = Self.none
            if beyond < count {
                previous[beyond] = UInt8(left)
                keys[left] = Self.key(merges.rank(symbols[left], symbols[beyond]), left)
            }
            if left > 0 {
                let before = Int(previous[left])
                keys[before] = Self.key(merges.rank(symbols[before], symbols[left]), before)
            }
        }
        result.removeAll(keepingCapacity: true)
        var place = 0
        while place < count {
            result.append(symbols[place])
            place = Int(next[place])
        }
    }

    private func smallestKey() -> UInt64? {
        var best = Self.none
        for i in 0..<count { best = min(best, keys[i]) }
        return best == Self.none ? nil : best
    }

    @inline(__always)
    private static func key(_ rank: UInt32, _ position: Int) -> UInt64 {
        rank == MergeTable.none ? none : UInt64(rank) << 6 | UInt64(position)
    }
}
