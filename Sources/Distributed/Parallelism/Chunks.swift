package import Model

/// A range of elements of one matrix of one parameter: the unit in which norms, digests and updates are computed.
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
    /// Which of them this rank owns: every chunk of the model has one owner.
    package let isOwned: [Bool]
    /// Their places in `local`, and those of the others.
    package let owned: [Int]
    package let foreign: [Int]
    /// Chunks of the whole model.
    package let total: Int

    /// - Parameter ownedRanges: the ranges of the arenas that this rank owns
    package init(_ layout: ParameterLayout, owning ownedRanges: [Range<Int>]) {
        var local: [Chunk] = [], total = 0
        for id in layout.all {
            let entry = layout[id], ranges = entry.chunks
            let perMatrix = ranges.count / entry.matrixCount
            let first = total + (entry.experts?.lowerBound ?? 0) * perMatrix
            for (i, range) in ranges.enumerated() {
                local.append(
                    Chunk(
                        parameter: id, range: range,
                        globalOffset: entry.globalOffset + range.lowerBound - entry.offset, number: first + i))
            }
            total += entry.globalCount / (entry.rows * entry.columns) * perMatrix
        }
        let isOwned = local.map { chunk in ownedRanges.contains { $0.contains(chunk.range.lowerBound) } }
        self.local = local
        self.isOwned = isOwned
        owned = isOwned.indices.filter { isOwned[$0] }
        foreign = isOwned.indices.filter { !isOwned[$0] }
        self.total = total
    }
}

extension ParameterEntry {
    /// Where its matrices lie in the arenas, if they are hidden ones, and where its chunks, if not.
    package var wholeMatrices: [Range<Int>] {
        guard !hiddenWidths.isEmpty else { return chunks }
        let size = rows * columns
        return (0..<matrixCount).map { offset + $0 * size..<offset + ($0 + 1) * size }
    }

    /// Where its chunks lie in the arenas.
    var chunks: [Range<Int>] {
        let size = rows * columns
        return (0..<matrixCount).flatMap { index in
            stride(from: 0, to: size, by: ChunkPlan.extent).map { start in
                let from = offset + index * size + start
                return from..<from + min(ChunkPlan.extent, size - start)
            }
        }
    }
}
