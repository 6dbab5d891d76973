package import Collectives
package import Layers
import Tensors

/// Sums gradients over the ranks bucket by bucket and, with a distributed optimizer, hands updated parameters round. No rank
/// divides by anything: every lane's loss was scaled for the whole batch.
package struct GradientReduction: Sendable {
    private let mesh: Mesh
    private let buckets: [Bucket]
    private let isDistributed: Bool

    /// - Parameter isDistributed: whether each rank needs the sums of its own slices only, and updates only these
    package init(_ partition: ArenaPartition, over mesh: Mesh, isDistributed: Bool) {
        self.mesh = mesh
        buckets = partition.buckets
        self.isDistributed = isDistributed
    }

    /// Sums all gradients in place. With a distributed optimizer only a rank's slices are sums afterwards.
    /// **Collective** over the world.
    package func sum(_ gradients: GradientAccumulator, clock: CommunicationClock) throws(CommunicationError) {
        try afterAllHaveCome(clock) { () throws(CommunicationError) in
            for bucket in buckets {
                switch gradients.sums(bucket.range) {
                case .floats(let values): try sum(values, of: bucket)
                case .fixed(let values): try sum(values, of: bucket)
                }
            }
        }
    }

    private func sum<Element: Exchangeable>(
        _ values: Vector<Element>, of bucket: Bucket
    ) throws(CommunicationError) {
        let group = group(of: bucket)
        if isDistributed {
            try group.reduceScatter(values, counts: bucket.counts)
        } else {
            try group.sum(values)
        }
    }

    /// Gives every rank the slices that others have updated. **Collective** over the world.
    package func gather(_ parameters: ParameterArena, clock: CommunicationClock) throws(CommunicationError) {
        try afterAllHaveCome(clock) { () throws(CommunicationError) in
            for bucket in buckets {
                try group(of: bucket).allGather(parameters.values[bucket.range], counts: bucket.counts)
            }
        }
    }

    private func group(of bucket: Bucket) -> any Communicator {
        bucket.holders == .world ? mesh.world : mesh.replicas
    }

    private func afterAllHaveCome(
        _ clock: CommunicationClock, _ body: () throws(CommunicationError) -> Void
    ) throws(CommunicationError) {
        try clock.wait { () throws(CommunicationError) in try mesh.world.barrier() }
        try clock.reduce(body)
    }
}
