package import Collectives
import Configuration
package import Model
package import Tensors
package import Threading

/// Sums over whole arenas whose result does not depend on the layout.
package struct NormAndDigest: Sendable {
    private let plan: ChunkPlan
    private let mesh: Mesh
    /// By parameter.
    private let tensors: [TensorDigest]
    private let hasGradient: [Bool]
    private let squares: Vector<Double>
    private let partDigests: Vector<UInt64>
    private let total = Vector<UInt64>(count: 1)

    package init(_ layout: ParameterLayout, _ plan: ChunkPlan, _ mesh: Mesh) {
        self.plan = plan
        self.mesh = mesh
        tensors = layout.entries.map { TensorDigest(name: $0.name) }
        hasGradient = layout.entries.map(\.hasGradient)
        squares = Vector(count: plan.total)
        partDigests = Vector(count: plan.local.count)
    }

    /// `‖g‖₂` of the whole model's gradient, one double per chunk added in the chunks' global order, and its digest, in
    /// one pass. **Collective**.
    /// - Parameter values: the elements of a chunk; `worker` tells which thread asks
    package func normAndDigest(
        on workers: ThreadPool, _ values: @Sendable (_ chunk: Chunk, _ worker: Int) -> Vector<Float>
    ) throws(CommunicationError) -> (norm: Double, digest: UInt64) {
        squares.fill(with: 0)
        workers.run(plan.owned.count) { worker, index in
            let chunk = plan.local[plan.owned[index]], elements = values(chunk, worker)
            if hasGradient[chunk.parameter.index] { squares[chunk.number] = sumOfSquares(elements.span) }
            partDigests[index] = digest(of: chunk, elements)
        }
        // Every chunk has one owner, so the sum over ranks adds zeros and is exact.
        try mesh.world.allReduceSum(squares)
        return ((0..<plan.total).reduce(0) { $0 + squares[$1] }.squareRoot(), try sumOfDigests(plan.owned.count))
    }

    /// A 64-bit digest of a whole arena, its tensors' names included, taken while each chunk is at hand. **Collective**.
    /// - Parameters:
    ///   - visited: places in the plan's `local`, among them the owned ones
    ///   - update: makes the elements of a visited chunk what they are to be
    package func digest(
        on workers: ThreadPool, of visited: [Int],
        after update: @Sendable (_ chunk: Chunk, _ worker: Int) -> Vector<Float>
    ) throws(CommunicationError) -> UInt64 {
        workers.run(visited.count) { worker, index in
            let place = visited[index]
            let chunk = plan.local[place], elements = update(chunk, worker)
            partDigests[index] = plan.isOwned[place] ? digest(of: chunk, elements) : 0
        }
        return try sumOfDigests(visited.count)
    }

    private func digest(of chunk: Chunk, _ elements: Vector<Float>) -> UInt64 {
        tensors[chunk.parameter.index].part(elements.span, at: chunk.globalOffset)
    }

    private func sumOfDigests(_ parts: Int) throws(CommunicationError) -> UInt64 {
        total[0] = (0..<parts).reduce(0) { $0 &+ partDigests[$1] }
        try mesh.world.allReduceSum(total)
        return total[0]
    }
}
