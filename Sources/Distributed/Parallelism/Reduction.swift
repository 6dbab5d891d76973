package import Collectives
package import Model
import Tensors

/// Sums gradients over the ranks bucket by bucket and, with a distributed optimizer, hands updated parameters round. No rank
/// divides by anything: every micro-batch's loss was scaled for the whole batch.
///
/// A bucket's sum is a reduce-scatter and an all-gather; a distributed optimizer updates in between.
package struct GradientReduction: Sendable {
    package let buckets: [Bucket]
    private let world: any Communicator
    private let replicas: any Communicator
    private let isDistributed: Bool

    /// - Parameters:
    ///   - partition: the buckets and their optimizer shards
    ///   - mesh: the groups that are summed over
    ///   - isDistributed: whether each rank needs the sums of its own optimizer shard only, and updates only this
    package init(_ partition: ArenaPartition, over mesh: Mesh, isDistributed: Bool) {
        buckets = partition.buckets
        (world, replicas) = (mesh.world, mesh.replicas)
        self.isDistributed = isDistributed
    }

    private init(_ other: GradientReduction, world: any Communicator, replicas: any Communicator) {
        (buckets, isDistributed) = (other.buckets, other.isDistributed)
        (self.world, self.replicas) = (world, replicas)
    }

    /// The same on communicators for a thread of its own. **Collective** over the world.
    package func overlapping() throws(CommunicationError) -> GradientReduction {
        GradientReduction(
            self, world: try world.duplicate(waiting: BackgroundWaitPolicy()),
            replicas: try replicas.duplicate(waiting: BackgroundWaitPolicy()))
    }

    /// Sums all gradients in place. With a distributed optimizer only a rank's slices are sums afterwards.
    /// **Collective** over the world.
    package func sum(_ gradients: GradientAccumulator, clock: CommunicationClock) throws(CommunicationError) {
        try afterBarrier(clock) { () throws(CommunicationError) in
            for bucket in buckets { try sum(bucket, of: gradients) }
        }
    }

    /// **Collective** over the bucket's holders.
    func sum(_ bucket: Bucket, of gradients: GradientAccumulator) throws(CommunicationError) {
        switch gradients.sums(bucket.range) {
        case .floats(let values): try sum(values, of: bucket)
        case .fixed(let values): try sum(values, of: bucket)
        }
    }

    private func sum<Element: Exchangeable>(
        _ values: Vector<Element>, of bucket: Bucket
    ) throws(CommunicationError) {
        try group(of: bucket).reduceScatter(values, counts: bucket.counts)
        if !isDistributed { try group(of: bucket).allGather(values, counts: bucket.counts) }
    }

    /// Returns when all holders of the bucket have called it.
    func wait(forHoldersOf bucket: Bucket) throws(CommunicationError) { try group(of: bucket).barrier() }

    /// Gives every rank the slices that others have updated. **Collective** over the world.
    package func gather(_ parameters: ParameterArena, clock: CommunicationClock) throws(CommunicationError) {
        try afterBarrier(clock) { () throws(CommunicationError) in
            for bucket in buckets {
                try group(of: bucket).allGather(parameters.values[bucket.range], counts: bucket.counts)
            }
        }
    }

    private func group(of bucket: Bucket) -> any Communicator { bucket.holders == .world ? world : replicas }

    private func afterBarrier(
        _ clock: CommunicationClock, _ body: () throws(CommunicationError) -> Void
    ) throws(CommunicationError) {
        try clock.wait { () throws(CommunicationError) in try world.barrier() }
        try clock.reduce(body)
    }
}
