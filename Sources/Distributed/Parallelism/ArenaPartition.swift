package import Model

/// Which rank owns which part of the arenas: the owner computes norm and digest of its slices and saves them, and with a
/// distributed optimizer it alone holds their moments and updates them.
///
/// Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models" (arXiv:1910.02054),
/// section 5.1. A function of the layout: all ranks compute the same. Shares are even to a chunk or two, or to a matrix or two
/// where matrices stay whole.
package struct ArenaPartition: Sendable {
    /// In the order in which a backward pass completes them.
    package let buckets: [Bucket]
    private let expertParallelSize: Int

    /// - Parameters:
    ///   - layout: of the arenas
    ///   - ranks: of the world
    ///   - expertParallelSize: ranks of an expert group
    ///   - keepsMatricesWhole: whether one rank owns a hidden matrix, with those beside it, as a whole (Muon)
    package init(_ layout: ParameterLayout, ranks: Int, expertParallelSize: Int, keepsMatricesWhole: Bool = false) {
        self.expertParallelSize = expertParallelSize
        let replicated = layout.entries.filter { $0.experts == nil }
        let experts = layout.entries.filter { $0.experts != nil }
        func units(_ entry: ParameterEntry) -> [Range<Int>] { keepsMatricesWhole ? entry.wholeMatrices : entry.chunks }
        let all =
            Bucket.cut(layout.replicatedRange, replicated, at: units, among: .world, count: ranks)
            + Bucket.cut(layout.expertRange, experts, at: units, among: .replicas, count: ranks / expertParallelSize)
        buckets = all.sorted { $0.block > $1.block }
    }

    /// The slices that rank `rank` of the world owns, ascending; adjacent ones are joined.
    package func ownedRanges(of rank: Int) -> [Range<Int>] {
        let own = buckets.map { $0.ownedRanges[$0.holders == .world ? rank : rank / expertParallelSize] }
        return own.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { joined, next in
            if let last = joined.last, last.upperBound == next.lowerBound {
                joined[joined.count - 1] = last.lowerBound..<next.upperBound
            } else {
                joined.append(next)
            }
        }
    }
}
