import Model
import Optimization
import Parallelism
import Tensors
import Threading

/// The matrices of attention and experts that a rank updates with Muon, in batches that are orthogonalized together: as many
/// as there are threads, because a small matrix occupies one.
struct HiddenMatrices: Sendable {
    private let batches: [[HiddenWeight]]
    /// Numbers of scratch memory that the largest batch takes.
    let scratchCount: Int

    /// - Parameters:
    ///   - layout: of the arenas
    ///   - ownedRanges: of the arenas, which cut no matrix
    ///   - threads: of the rank
    init(_ layout: ParameterLayout, owning ownedRanges: [Range<Int>], threads: Int) {
        let weights = layout.entries.filter { $0.hiddenMatrices > 0 }.flatMap(\.weights)
        batches =
            weights
            .filter { weight in ownedRanges.contains { $0.contains(weight.range.lowerBound) } }
            .reduce(into: [[]]) { batches, weight in
                if batches[batches.count - 1].reduce(0, { $0 + $1.matrices }) >= threads { batches.append([]) }
                batches[batches.count - 1].append(weight)
            }
        scratchCount = batches.map { $0.reduce(0) { $0 + $1.scratchCount } }.max() ?? 0
    }

    /// One update of all of them.
    /// - Parameters:
    ///   - parameters: the arena
    ///   - momentum: of these matrices at least
    ///   - step: the numbers of this update
    ///   - scratch: `[≥ scratchCount]`
    ///   - pool: the rank's threads
    ///   - gradient: the elements of a range of the arenas, at most `ChunkPlan.extent`; `worker` tells which thread asks
    func update(
        _ parameters: Vector<Float>, momentum: Moment, by step: MuonStep, scratch: Vector<Float>, on pool: ThreadPool,
        gradient: @Sendable (_ range: Range<Int>, _ worker: Int) -> Vector<Float>
    ) {
        for batch in batches {
            let places = HiddenWeight.places(of: batch, in: scratch)
            let pieces = places.flatMap(\.pieces)
            pool.run(pieces.count) { worker, index in
                let piece = pieces[index]
                step.accumulate(
                    gradient(piece.range, worker), momentum: momentum[piece.range], into: piece.direction)
            }
            orthogonalize(places.flatMap(\.jobs), on: pool)
            pool.run(pieces.count) { _, index in
                let piece = pieces[index]
                step.update(
                    parameters[piece.range], direction: piece.result, rows: piece.rows, columns: piece.columns)
            }
        }
    }
}

/// Matrices of one shape side by side: `[rows, matrices · columns]` in the arenas.
private struct HiddenWeight: Sendable {
    let range: Range<Int>
    let matrices: Int
    let rows: Int
    let columns: Int

    /// Directions, results, and what each matrix takes besides.
    var scratchCount: Int {
        2 * range.count + matrices * Orthogonalization.scratchCount(rows: rows, columns: columns)
    }

    /// The memory of each weight of a batch.
    static func places(of batch: [HiddenWeight], in scratch: Vector<Float>) -> [Place] {
        var start = 0
        return batch.map { weight in
            defer { start += weight.scratchCount }
            return Place(weight, scratch[start..<start + weight.scratchCount])
        }
    }

    /// Where a weight is orthogonalized.
    struct Place {
        private let weight: HiddenWeight
        /// `[rows, matrices · columns]` each.
        private let direction: Tensor, result: Tensor
        private let rest: Vector<Float>

        init(_ weight: HiddenWeight, _ memory: Vector<Float>) {
            let count = weight.range.count, columns = weight.matrices * weight.columns
            self.weight = weight
            direction = Tensor(memory[0..<count], rows: weight.rows, columns: columns)
            result = Tensor(memory[count..<2 * count], rows: weight.rows, columns: columns)
            rest = memory[2 * count..<memory.count]
        }

        var jobs: [Orthogonalization] {
            let each = rest.count / weight.matrices
            return (0..<weight.matrices).map { matrix in
                let columns = matrix * weight.columns..<(matrix + 1) * weight.columns
                return Orthogonalization(
                    of: direction.columns(columns), into: result.columns(columns),
                    scratch: rest[matrix * each..<(matrix + 1) * each])
            }
        }

        /// Parts of the weight for one thread each.
        var pieces: [Piece] {
            stride(from: 0, to: weight.range.count, by: ChunkPlan.extent).map { start in
                let part = start..<min(start + ChunkPlan.extent, weight.range.count)
                let first = weight.range.lowerBound
                return Piece(
                    range: first + part.lowerBound..<first + part.upperBound, direction: direction.vector[part],
                    result: result.vector[part], rows: weight.rows, columns: weight.columns)
            }
        }
    }

    /// Some elements, in the arenas and in scratch memory.
    struct Piece: Sendable {
        let range: Range<Int>
        let direction: Vector<Float>
        let result: Vector<Float>
        /// Of each matrix.
        let rows: Int
        let columns: Int
    }
}

extension ParameterEntry {
    /// Its hidden weights: one, or one for each of this rank's experts.
    fileprivate var weights: [HiddenWeight] {
        wholeMatrices.map {
            HiddenWeight(range: $0, matrices: hiddenMatrices, rows: rows, columns: columns / hiddenMatrices)
        }
    }
}
