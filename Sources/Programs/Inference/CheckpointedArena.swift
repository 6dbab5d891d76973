import Checkpoints
package import Model
package import Tensors

/// An arena, one number for every parameter, as the tensors `FOLDER/NAME` of a checkpoint: `parameters/NAME`,
/// `optimizer/first_moment/NAME`, `optimizer/second_moment/NAME`, `ema/NAME`.
package struct CheckpointedArena: CheckpointedState {
    package let folder: String
    private let layout: ParameterLayout
    /// Elements of the arena that this rank holds, and those that it writes.
    private let held: [Range<Int>], written: [Range<Int>]
    private let values: (Range<Int>) -> Vector<Float>
    private let refresh: () -> Void

    /// - Parameter written: the slices of the arenas that this rank owns
    package init(_ arena: ParameterArena, writing written: [Range<Int>]) {
        let all = 0..<arena.layout.count
        (folder, layout, held, self.written) = ("parameters", arena.layout, [all], written)
        values = { arena.values[$0] }
        refresh = { arena.refresh(all) }
    }

    /// - Parameters:
    ///   - moment: one of the optimizer, or an average
    ///   - folder: such as `optimizer/first_moment`
    ///   - layout: of the arenas
    ///   - written: the slices of the arenas that this rank owns
    package init(_ moment: Moment, in folder: String, _ layout: ParameterLayout, writing written: [Range<Int>]) {
        (self.folder, self.layout, held) = (folder, layout, moment.ranges)
        self.written = moment.ranges(in: written)
        values = { moment[$0] }
        refresh = {}
    }

    package var heldShards: [TensorShard] { shards(in: held) }
    package var writtenShards: [TensorShard] { shards(in: written) }

    /// Products in bfloat16 read rounded copies.
    package func didRestore() { refresh() }

    private func shards(in ranges: [Range<Int>]) -> [TensorShard] {
        layout.entries.flatMap { entry in
            entry.pieces(in: ranges).map { range, rectangle in
                TensorShard(
                    name: "\(folder)/\(entry.name)", globalShape: entry.storedShape, offset: rectangle.offset,
                    shape: rectangle.shape, values: values(range))
            }
        }
    }
}

extension ParameterArena {
    /// The parameters of a job that saves nothing.
    package var readOnly: CheckpointedArena { CheckpointedArena(self, writing: []) }
}

extension ParameterEntry {
    /// Norms and biases are stored as vectors.
    private var isVector: Bool { !hasWeightDecay }
    package var storedShape: [Int] { isVector ? [columns] : globalShape }

    /// What of the tensor lies in `ownedRanges` of the arenas: where, and as rectangles of the stored tensor.
    fileprivate func pieces(in ownedRanges: [Range<Int>]) -> [(range: Range<Int>, rectangle: Rectangle)] {
        ownedRanges.flatMap { owned in
            let common = owned.clamped(to: range), shift = globalOffset - offset
            var next = common.lowerBound
            let rectangles = Rectangle.covering(
                common.lowerBound + shift..<common.upperBound + shift, of: storedShape)
            return rectangles.map { rectangle in
                defer { next += rectangle.count }
                return (next..<next + rectangle.count, rectangle)
            }
        }
    }
}
