package import Collectives
import Configuration
package import Model

/// The groups of ranks: all ranks divide the micro-batches of a step among them, an expert group of consecutive ranks divides the
/// experts, and the ranks that hold the same experts, one of each group, are replicas.
package struct Mesh: Sendable {
    package let world: any Communicator
    package let expertGroup: any Communicator
    package let replicas: any Communicator
    /// What this rank holds of every layer's experts.
    package let expertShard: ExpertShard

    /// **Collective** over `world`.
    /// - Parameter expertParallelSize: ranks of a group, a divisor of every layer's experts and of the world's size
    package init(_ world: any Communicator, expertParallelSize: Int) throws(CommunicationError) {
        self.world = world
        let group = world.rank / expertParallelSize, place = world.rank % expertParallelSize
        expertGroup = try world.split(color: group)
        replicas = try world.split(color: place)
        expertShard = ExpertShard(place, of: expertParallelSize)
    }

    /// The micro-batch that this rank computes in round `accumulationStep`; nil if none is left for it. Micro-batches are
    /// assigned round-robin.
    package func microBatch(accumulationStep: Int, of microBatches: Int) -> Int? {
        let microBatch = accumulationStep * world.size + world.rank
        return microBatch < microBatches ? microBatch : nil
    }

    /// Rounds that every rank takes part in, with a micro-batch or only serving its experts.
    package func accumulationSteps(microBatches: Int) -> Int { (microBatches + world.size - 1) / world.size }
}
