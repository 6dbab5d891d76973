package import Collectives
import Kernels
package import Layers
package import Tensors
package import Workers

/// Sums over whole arenas whose result does not depend on the layout.
package struct ArenaSums: Sendable {
    private let plan: ChunkPlan
    private let mesh: Mesh
    private let layout: ParameterLayout
    private let squares: Vector<Double>
    private let partDigests: Vector<UInt64>
    private let digest = Vector<UInt64>(count: 1)

    package init(_ layout: ParameterLayout, _ plan: ChunkPlan, _ mesh: Mesh) {
        self.plan = plan
        self.mesh = mesh
        self.layout = layout
        squares = Vector(count: plan.total)
        partDigests = Vector(count: plan.owned.count)
    }

    /// `‖g‖₂` of the whole model's gradient: one double per chunk, added in the chunks' global order. **Collective**.
    /// - Parameter values: the elements of a chunk; `worker` tells which thread asks
    package func norm(
        on workers: Workers, _ values: @Sendable (_ chunk: Chunk, _ worker: Int) -> Vector<Float>
    ) throws(CommunicationError) -> Double {
        for i in 0..<plan.total { squares[i] = 0 }
        workers.run(plan.owned.count) { worker, index in
            let chunk = plan.owned[index]
            squares[chunk.number] = sumOfSquares(values(chunk, worker).span)
        }
        // Every chunk has one owner, so the sum over ranks adds zeros and is exact.
        try mesh.world.sum(squares)
        return (0..<plan.total).reduce(0) { $0 + squares[$1] }.squareRoot()
    }

    /// A 64-bit digest of a whole arena, its tensors' names included. **Collective**.
    package func digest(
        on workers: Workers, _ values: @Sendable (_ chunk: Chunk, _ worker: Int) -> Vector<Float>
    ) throws(CommunicationError) -> UInt64 {
        workers.run(plan.owned.count) { worker, index in
            let chunk = plan.owned[index]
            partDigests[index] = contentDigest(
                values(chunk, worker).span, tensor: layout[chunk.parameter].nameDigest, first: chunk.globalOffset)
        }
        digest[0] = (0..<plan.owned.count).reduce(0) { $0 &+ partDigests[$1] }
        try mesh.world.sum(digest)
        return digest[0]
    }
}
