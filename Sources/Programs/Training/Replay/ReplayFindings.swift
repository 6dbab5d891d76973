import Checkpoints
import Configuration
import Diagnostics
import Inference
import Model
import Platform
import RunFormat
import Tensors

/// What a replay found.
package struct ReplayFindings: Sendable {
    /// Steps recomputed.
    package var first: Int
    package var last: Int
    /// Of the first step that differs from its record.
    package var figure: FigureDifference?
    /// Of the first checkpoint that differs; replay ends there.
    package var tensor: TensorDifference?
    package var comparedCheckpoints = 0

    init(first: Int) {
        self.first = first
        last = first - 1
    }

    package var isConfirmed: Bool { figure == nil && tensor == nil }
}

/// The first figure of a step that is not what the run recorded, in the order in which they depend on each other.
package struct FigureDifference: Sendable, Equatable, CustomStringConvertible {
    package var step: Int
    package var figure: String
    package var recorded: String
    package var recomputed: String

    init?(_ outcome: StepOutcome, recorded: StepRecord) {
        let figures = [
            ("routes", recorded.routeDigest, hexadecimal(outcome.microBatches.routeDigest)),
            ("loss", "\(recorded.loss)", "\(outcome.microBatches.loss)"),
            ("gradient", recorded.gradientDigest, hexadecimal(outcome.gradientDigest)),
            ("learning rate", "\(recorded.learningRate)", "\(outcome.learningRate)"),
            ("parameters", recorded.parameterDigest, hexadecimal(outcome.parameterDigest)),
        ]
        guard let first = figures.first(where: { $0.1 != $0.2 }) else { return nil }
        step = recorded.step
        (figure, self.recorded, recomputed) = first
    }

    package var description: String { "step \(step), \(figure): recorded \(recorded), recomputed \(recomputed)" }
}

/// The first tensor of a state that is not what a checkpoint holds, and its first element that differs.
package struct TensorDifference: Sendable, Equatable, CustomStringConvertible {
    package var step: Int
    package var name: String
    /// Row-major index in the whole tensor.
    package var index: Int
    package var stored: Float
    package var recomputed: Float
    /// Elements of the tensor that differ.
    package var count: Int

    /// Of all that checkpoints keep, in its order. For a rank that holds everything.
    static func first(of state: TrainingState, against reader: CheckpointReader) throws(Failure) -> TensorDifference? {
        for shard in state.stored.flatMap(\.heldShards) {
            let stored = try reader.read(shard.name), own = shard.values
            let different = (0..<own.count).filter { stored[$0].bitPattern != own[$0].bitPattern }
            guard let index = different.first else { continue }
            return TensorDifference(
                step: state.step, name: shard.name, index: index, stored: stored[index], recomputed: own[index],
                count: different.count)
        }
        return nil
    }

    package var description: String {
        "checkpoint of step \(step), \(name): \(count) elements differ, the first is number \(index), stored as "
            + "\(stored) and recomputed as \(recomputed)"
    }
}
