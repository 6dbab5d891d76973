import Checkpoints
import Diagnostics
import Inference
import Model
package import Tensors

extension TrainingState {
    /// All that a checkpoint keeps as tensors, in the order in which replays compare it. State of a new kind is added here.
    var stored: [any CheckpointedState] { [storedParameters] + storedMoments + (storedAverage.map { [$0] } ?? []) }

    private var storedParameters: CheckpointedArena { CheckpointedArena(parameters, writing: ownedRanges) }

    private var storedMoments: [CheckpointedArena] {
        [("first_moment", firstMoment), ("second_moment", secondMoment)].map {
            CheckpointedArena($1, in: "optimizer/\($0)", parameters.layout, writing: ownedRanges)
        }
    }

    private var storedAverage: CheckpointedArena? {
        average.map { CheckpointedArena($0, in: CheckpointReader.averages, parameters.layout, writing: ownedRanges) }
    }

    /// What this rank writes.
    package var writtenShards: [TensorShard] { stored.flatMap(\.writtenShards) }

    /// Takes over how far a checkpoint's run had come.
    mutating func takeProgress(of record: CheckpointRecord, _ consumed: Consumed) throws(Failure) {
        (step, self.consumed) = (record.step, consumed)
        stepGuard = try StepGuard(extras: record.extras, step: record.step)
    }

    /// Fills what this rank holds from a checkpoint written by any ranks. An average that the checkpoint does not have begins here.
    /// - Parameters:
    ///   - reader: the checkpoint
    ///   - parametersOnly: takes the parameters alone
    func restore(from reader: CheckpointReader, parametersOnly: Bool = false) throws(Failure) {
        try storedParameters.restore(from: reader)
        if !parametersOnly { for moment in storedMoments { try moment.restore(from: reader) } }
        if let storedAverage, !parametersOnly, reader.hasAverages {
            try storedAverage.restore(from: reader)
        } else {
            beginAverage()
        }
    }
}
