import Collectives
package import Layers

/// A stretch of one matrix of one parameter: the unit in which norms, digests and updates are computed.
package struct Chunk: Sendable {
    package let parameter: ParameterID
    /// Where its elements lie in this rank's arenas.
    package let range: Range<Int>
    /// Index of its first element in the whole tensor.
    package let globalOffset: Int
    /// Its number among all chunks of the whole model, the same on every rank and layout.
    package let number: Int
}

/// All chunks of a rank, of an extent that does not depend on the layout: matrices are cut every `extent` elements, so
/// sums within a chunk, and the order of chunks, are the same on any number of ranks.
package struct ChunkPlan: Sendable {
    package static let extent = 1 << 16

    /// What this rank holds.
    package let local: [Chunk]
    /// Which of them this rank answers for: every chunk of the model is owned by one rank.
    package let isOwned: [Bool]
    /// Their places in `local`.
    package let owned: [Int]
    /// Chunks of the whole model.
    package let total: Int

    package init(_ layout: ParameterLayout, mesh: Mesh) {
        var local: [Chunk] = [], isOwned: [Bool] = [], total = 0
        for id in layout.all {
            let entry = layout[id], size = entry.rows * entry.columns
            let perMatrix = (size + Self.extent - 1) / Self.extent
            let holders = entry.experts == nil ? mesh.world : mesh.replicas
            for slab in 0..<entry.slabs {
                let matrix = (entry.experts?.lowerBound ?? 0) + slab
                for piece in 0..<perMatrix {
                    let start = piece * Self.extent
                    let from = entry.offset + slab * size + start
                    let chunk = Chunk(
                        parameter: id, range: from..<from + min(Self.extent, size - start),
                        globalOffset: matrix * size + start, number: total + matrix * perMatrix + piece)
                    local.append(chunk)
                    isOwned.append(chunk.number % holders.size == holders.rank)
                }
            }
            total += entry.globalCount / size * perMatrix
        }
        self.local = local
        self.isOwned = isOwned
        owned = isOwned.indices.filter { isOwned[$0] }
        self.total = total
    }
}
