import Checkpoints
import Diagnostics
import Inference
import Model
package import Tensors

extension TrainingState {
    /// All that a checkpoint keeps as tensors, in the order in which replays compare it. State of a new kind is added here.
    var stored: [any CheckpointedState] { [storedParameters] + storedMoments }

    private var storedParameters: CheckpointedArena { CheckpointedArena(parameters, writing: ownedRanges) }

    private var storedMoments: [CheckpointedArena] {
        [("first_moment", firstMoment), ("second_moment", secondMoment)].map {
            CheckpointedArena($1, name: $0, parameters.layout, writing: ownedRanges)
        }
    }

    /// What this rank writes.
    package var writtenShards: [TensorShard] { stored.flatMap(\.writtenShards) }

    /// Takes over how far a checkpoint's run had come.
    mutating func takeProgress(of record: CheckpointRecord, _ consumed: Consumed) throws(Failure) {
        (step, self.consumed) = (record.step, consumed)
        stepGuard = try StepGuard(extras: record.extras, step: record.step)
    }

    /// Fills what this rank holds from a checkpoint written by any ranks.
    /// - Parameter parametersOnly: leaves everything else as it is
    func restore(from reader: CheckpointReader, parametersOnly: Bool = false) throws(Failure) {
        if parametersOnly { return try storedParameters.restore(from: reader) }
        for state in stored { try state.restore(from: reader) }
    }
}
