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
        let weights = layout.entries.filter { !$0.hiddenWidths.isEmpty }.flatMap(\.weights)
        batches =
            weights
            .filter { weight in ownedRanges.contains { $0.contains(weight.range.lowerBound) } }
            .reduce(into: [[]]) { batches, weight in
                if batches[batches.count - 1].reduce(0, { $0 + $1.widths.count }) >= threads { batches.append([]) }
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
            for place in places { place.scaleNarrower() }
            pool.run(pieces.count) { _, index in
                let piece = pieces[index]
                step.update(
                    parameters[piece.range], direction: piece.result, rows: piece.rows, columns: piece.columns)
            }
        }
    }
}

/// Matrices side by side: `[rows, Σ widths]` in the arenas.
private struct HiddenWeight: Sendable {
    let range: Range<Int>
    let rows: Int
    /// Columns of each matrix.
    let widths: [Int]

    var widest: Int { widths.max() ?? 0 }
    /// The columns of each matrix among those of all.
    var columns: [Range<Int>] {
        var end = 0
        return widths.map { width in
            end += width
            return end - width..<end
        }
    }

    private func scratchCount(_ width: Int) -> Int { Orthogonalization.scratchCount(rows: rows, columns: width) }

    /// Directions, results, and what each matrix takes besides.
    var scratchCount: Int { 2 * range.count + widths.reduce(0) { $0 + scratchCount($1) } }

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
        /// `[rows, Σ widths]` each.
        private let direction: Tensor, result: Tensor
        private let rest: Vector<Float>

        init(_ weight: HiddenWeight, _ memory: Vector<Float>) {
            let count = weight.range.count, columns = weight.widths.reduce(0, +)
            self.weight = weight
            direction = Tensor(memory[0..<count], rows: weight.rows, columns: columns)
            result = Tensor(memory[count..<2 * count], rows: weight.rows, columns: columns)
            rest = memory[2 * count..<memory.count]
        }

        var jobs: [Orthogonalization] {
            var end = 0
            return weight.columns.map { columns in
                let start = end
                end += weight.scratchCount(columns.count)
                return Orthogonalization(
                    of: direction.columns(columns), into: result.columns(columns), scratch: rest[start..<end])
            }
        }

        /// `MuonStep.update` sizes all by the widest matrix; a narrower one is multiplied by what its own size is of that.
        func scaleNarrower() {
            func size(_ width: Int) -> Double { Double(max(weight.rows, width)).squareRoot() }
            for columns in weight.columns where size(columns.count) < size(weight.widest) {
                let factor = Float(size(columns.count) / size(weight.widest)), narrow = result.columns(columns)
                for r in 0..<narrow.rows {
                    var row = unsafe narrow.unsafeMutableRow(r)
                    for i in row.indices { row[i] *= factor }
                }
            }
        }

        /// Parts of the weight for one thread each.
        var pieces: [Piece] {
            stride(from: 0, to: weight.range.count, by: ChunkPlan.extent).map { start in
                let part = start..<min(start + ChunkPlan.extent, weight.range.count)
                let first = weight.range.lowerBound
                return Piece(
                    range: first + part.lowerBound..<first + part.upperBound, direction: direction.vector[part],
                    result: result.vector[part], rows: weight.rows, columns: weight.widest)
            }
        }
    }

    /// Some elements, in the arenas and in scratch memory.
    struct Piece: Sendable {
        let range: Range<Int>
        let direction: Vector<Float>
        let result: Vector<Float>
        let rows: Int
        /// Of the widest matrix.
        let columns: Int
    }
}

extension ParameterEntry {
    /// Its hidden weights: one, or one for each of this rank's experts.
    fileprivate var weights: [HiddenWeight] {
        wholeMatrices.map {
            HiddenWeight(range: $0, rows: rows, widths: hiddenWidths)
        }
    }
}
