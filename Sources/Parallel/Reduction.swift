package import Collectives
package import Layers
import Tensors

/// Sums gradients over the ranks: replicated parameters over the world, experts over the ranks that hold the same ones.
/// **Collective** over the world. No rank divides by anything: every lane's loss was scaled for the whole batch.
package func sumGradients(
    _ gradients: GradientAccumulator, over mesh: Mesh, clock: CommunicationClock
) throws(CommunicationError) {
    try sum(gradients.sums(gradients.layout.replicatedRange), over: mesh.world, clock)
    try sum(gradients.sums(gradients.layout.expertRange), over: mesh.replicas, clock)
}

private func sum(
    _ sums: GradientAccumulator.Sums, over group: any Communicator, _ clock: CommunicationClock
) throws(CommunicationError) {
    try clock.wait { () throws(CommunicationError) in try group.barrier() }
    try clock.reduce { () throws(CommunicationError) in
        switch sums {
        case .floats(let values): try group.sum(values)
        case .fixed(let values): try group.sum(values)
        }
    }
}
