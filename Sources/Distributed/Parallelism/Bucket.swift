import Model

/// A stretch of the arenas whose gradients are summed at once, and how the ranks that sum it share it out.
package struct Bucket: Sendable {
    package enum Holders: Sendable { case world, replicas }

    /// Where it lies in the arenas.
    package let range: Range<Int>
    /// The ranks that hold these parameters.
    package let holders: Holders
    /// The block whose backward pass completes its gradients; −1: that of the embedding; `Int.max`: that of the head.
    package let block: Int
    /// What each of the holders answers for, in rank order: consecutive, together all of it, some perhaps empty.
    package let ownedRanges: [Range<Int>]

    package var counts: [Int] { ownedRanges.map(\.count) }

    /// Elements below which a block's parameters wait for those of the next, so that few messages are small.
    static let smallest = 1 << 20

    /// The buckets of `range`, whose parameters are `entries`, in the order in which a backward pass completes them.
    /// - Parameter count: of the ranks that hold them
    static func cut(_ range: Range<Int>, _ entries: [ParameterEntry], among holders: Holders, count: Int) -> [Bucket] {
        var shares = EvenSplit(count: count), buckets: [Bucket] = []
        var end = range.upperBound, open: [ParameterEntry] = []
        for (index, entry) in entries.enumerated().reversed() {
            open.insert(entry, at: 0)
            let isLastOfBlock = index == 0 || entries[index - 1].completingBlock != entry.completingBlock
            guard index == 0 || (isLastOfBlock && end - entry.offset >= smallest) else { continue }
            // Multiples of 64 bytes, so that what travels has large units.
            let places = open.flatMap(\.chunks).map(\.lowerBound).filter { $0 % 16 == 0 }
            let range = entry.offset..<end
            buckets.append(
                Bucket(
                    range: range, holders: holders, block: entry.completingBlock,
                    ownedRanges: shares.cut(range, at: places)))
            end = entry.offset
            open = []
        }
        return buckets
    }
}

extension ParameterEntry {
    fileprivate var completingBlock: Int { block ?? (offset == 0 ? -1 : Int.max) }
}

/// Cuts stretch after stretch among a number of ranks so that what each has got so far stays even.
private struct EvenSplit {
    /// Elements that the ranks up to each have got.
    private var upTo: [Int]

    init(count: Int) { upTo = [Int](repeating: 0, count: count) }

    /// - Parameter places: where `range` may be cut, ascending
    mutating func cut(_ range: Range<Int>, at places: [Int]) -> [Range<Int>] {
        let total = upTo[upTo.count - 1] + range.count
        var start = range.lowerBound
        return upTo.indices.map { rank in
            let ideal = range.lowerBound + total * (rank + 1) / upTo.count - upTo[rank]
            let isLast = rank == upTo.count - 1
            let end = isLast ? range.upperBound : max(start, nearest(to: ideal, places + [range.upperBound]))
            upTo[rank] += end - range.lowerBound
            defer { start = end }
            return start..<end
        }
    }

    private func nearest(to ideal: Int, _ places: [Int]) -> Int {
        places.min { abs($0 - ideal) < abs($1 - ideal) }!
    }
}
