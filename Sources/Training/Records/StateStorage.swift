package import Checkpoints
import Collectives
package import Diagnostics
package import Layers
package import Parallel

/// Training state as the tensors of a checkpoint: `parameters/NAME`, `optimizer/first_moment/NAME`,
/// `optimizer/second_moment/NAME`.
package enum StateStorage {
    static let parameters = "parameters"
    static let firstMoment = "optimizer/first_moment"
    static let secondMoment = "optimizer/second_moment"

    /// What this rank writes: its experts if it is the first of their replicas, and its share of the replicated tensors,
    /// which are dealt to ranks one by one.
    package static func shards(of state: TrainingState, _ mesh: Mesh) -> [TensorShard] {
        let arenas = [
            (parameters, state.parameters), (firstMoment, state.firstMoment), (secondMoment, state.secondMoment),
        ]
        return arenas.flatMap { folder, arena in
            arena.layout.all.compactMap { id -> TensorShard? in
                let entry = arena.layout[id]
                guard
                    entry.isStored(
                        by: mesh.world.rank, of: mesh.world.size, number: id.index,
                        expertParallel: mesh.expertGroup.size)
                else { return nil }
                return TensorShard(
                    name: "\(folder)/\(entry.name)", globalShape: entry.storedShape, offset: entry.storedOffset,
                    shape: entry.storedLocalShape, values: arena.vector(id))
            }
        }
    }

    /// Elements that the rank which writes most writes of one arena.
    package static func mostElements(_ layout: ParameterLayout, ranks: Int, expertParallel: Int) -> Int {
        (0..<ranks).map { rank in
            layout.entries.enumerated().reduce(0) { sum, numbered in
                let (number, entry) = numbered
                let isIts = entry.isStored(by: rank, of: ranks, number: number, expertParallel: expertParallel)
                return sum + (isIts ? entry.count : 0)
            }
        }.max() ?? 0
    }

    /// Fills what this rank holds of `state` from a checkpoint written by any ranks.
    /// - Parameter moments: whether to continue the optimizer, too
    package static func load(
        _ state: TrainingState, from reader: CheckpointReader, moments: Bool = true
    ) throws(Failure) {
        try load(state.parameters, parameters, reader)
        guard moments else { return }
        try load(state.firstMoment, firstMoment, reader)
        try load(state.secondMoment, secondMoment, reader)
    }

    package static func load(
        _ arena: ParameterArena, _ folder: String = StateStorage.parameters, _ reader: CheckpointReader
    ) throws(Failure) {
        for id in arena.layout.all {
            let entry = arena.layout[id], name = "\(folder)/\(entry.name)"
            let stored = try reader.tensor(name)
            guard stored.shape == entry.storedShape else {
                throw Failure(
                    .data,
                    "\(reader.directory): `\(name)` has shape \(stored.shape), but the model wants \(entry.storedShape)",
                    advice: "the checkpoint belongs to a model of another shape")
            }
            try reader.read(
                name, offset: entry.storedOffset, shape: entry.storedLocalShape, into: arena.vector(id))
        }
        arena.refresh(0..<arena.layout.count)
    }
}

extension ParameterEntry {
    /// Experts are stored by the first of their replicas, which are the ranks of the first expert group; replicated
    /// tensors by one rank each.
    fileprivate func isStored(by rank: Int, of ranks: Int, number: Int, expertParallel: Int) -> Bool {
        experts == nil ? number % ranks == rank : rank < expertParallel
    }

    /// Norms are stored as vectors.
    private var isVector: Bool { !decays }
    package var storedShape: [Int] { isVector ? [columns] : globalShape }
    fileprivate var storedOffset: [Int] { experts.map { [$0.lowerBound, 0, 0] } ?? storedShape.map { _ in 0 } }
    fileprivate var storedLocalShape: [Int] { experts.map { [$0.count, rows, columns] } ?? storedShape }
}
