package import Checkpoints
import Configuration
package import Diagnostics
package import Model
package import Tensors

/// Training state as the tensors of a checkpoint: `parameters/NAME`, `optimizer/first_moment/NAME`,
/// `optimizer/second_moment/NAME`.
package enum StateShards {
    package static let parameters = "parameters"
    package static let firstMoment = "optimizer/first_moment"
    package static let secondMoment = "optimizer/second_moment"

    /// What lies in `ownedRanges` of an arena, as parts of the tensors `folder/NAME`.
    package static func shards(
        _ folder: String, _ layout: ParameterLayout, _ ownedRanges: [Range<Int>],
        _ values: (Range<Int>) -> Vector<Float>
    ) -> [TensorShard] {
        layout.entries.flatMap { entry in
            entry.pieces(in: ownedRanges).map { range, rectangle in
                TensorShard(
                    name: "\(folder)/\(entry.name)", globalShape: entry.storedShape, offset: rectangle.offset,
                    shape: rectangle.shape, values: values(range))
            }
        }
    }

    /// Fills an arena of parameters from a checkpoint written by any ranks.
    package static func load(
        _ arena: ParameterArena, _ folder: String = StateShards.parameters, _ reader: CheckpointReader
    ) throws(Failure) {
        let all = 0..<arena.layout.count
        try load(folder, reader, arena.layout, [all]) { arena.values[$0] }
        arena.refresh(all)
    }

    /// Fills what lies in `ownedRanges` of an arena from the tensors `folder/NAME`.
    package static func load(
        _ folder: String, _ reader: CheckpointReader, _ layout: ParameterLayout, _ ownedRanges: [Range<Int>],
        into values: (Range<Int>) -> Vector<Float>
    ) throws(Failure) {
        for entry in layout.entries {
            let name = "\(folder)/\(entry.name)", stored = try reader.tensor(name)
            guard stored.shape == entry.storedShape else {
                throw Failure(
                    .data,
                    "\(reader.directory): `\(name)` has shape \(stored.shape), but the model wants \(entry.storedShape)",
                    advice: "the checkpoint belongs to a model of another shape")
            }
            for (range, rectangle) in entry.pieces(in: ownedRanges) {
                try reader.read(name, offset: rectangle.offset, shape: rectangle.shape, into: values(range))
            }
        }
    }
}

extension ParameterEntry {
    /// Norms are stored as vectors.
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
