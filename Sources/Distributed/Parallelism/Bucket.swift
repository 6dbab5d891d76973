import Model

/// A range of the arenas whose gradients are reduced in one call, and its division among the ranks that reduce it.
package struct Bucket: Sendable {
    package enum Holders: Sendable { case world, replicas }

    /// Where it lies in the arenas.
    package let range: Range<Int>
    /// The ranks that hold these parameters.
    package let holders: Holders
    /// The block whose backward pass completes these gradients; −1 stands for the embedding, `Int.max` for the head.
    package let block: Int
    /// The part that each of these ranks owns, in rank order: consecutive, together the whole range; some may be empty.
    package let ownedRanges: [Range<Int>]

    package var counts: [Int] { ownedRanges.map(\.count) }

    /// The smallest number of elements: a block with fewer parameters shares a bucket with the next, so that few messages are small.
    static let smallest = 1 << 20

    /// The buckets of `range`, whose parameters are `entries`, in the order in which a backward pass completes them.
    /// - Parameters:
    ///   - range: of the arenas
    ///   - entries: the parameters in it, ascending
    ///   - units: the parts of a parameter that one rank owns as a whole
    ///   - holders: the ranks that hold these parameters
    ///   - count: their number
    static func cut(
        _ range: Range<Int>, _ entries: [ParameterEntry], at units: (ParameterEntry) -> [Range<Int>],
        among holders: Holders, count: Int
    ) -> [Bucket] {
        var shares = EvenSplit(count: count), buckets: [Bucket] = []
        var end = range.upperBound, open: [ParameterEntry] = []
        for (index, entry) in entries.enumerated().reversed() {
            open.insert(entry, at: 0)
            let isLastOfBlock = index == 0 || entries[index - 1].completingBlock != entry.completingBlock
            guard index == 0 || (isLastOfBlock && end - entry.offset >= smallest) else { continue }
            // Multiples of 64 bytes, so that MPI copies whole cache lines.
            let places = open.flatMap(units).map(\.lowerBound).filter { $0 % 16 == 0 }
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

/// Divides range after range among ranks so that the sums of what each owns stay even.
private struct EvenSplit {
    /// The number of elements that the ranks up to and including each own.
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
