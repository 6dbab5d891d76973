package import Checkpoints
package import Diagnostics
import Inference
import Model
package import Tensors

extension StateShards {
    /// What this rank writes: of all tensors what lies in the slices of the arenas that it answers for.
    package static func shards(of state: TrainingState, _ slices: [Range<Int>]) -> [TensorShard] {
        let layout = state.parameters.layout
        return shards(parameters, layout, slices) { state.parameters.values[$0] }
            + shards(firstMoment, layout, slices) { state.firstMoment[$0] }
            + shards(secondMoment, layout, slices) { state.secondMoment[$0] }
    }

    /// Fills what this rank holds of `state` from a checkpoint written by any ranks.
    /// - Parameter moments: whether to continue the optimizer, too
    package static func load(
        _ state: TrainingState, from reader: CheckpointReader, moments: Bool = true
    ) throws(Failure) {
        try load(state.parameters, parameters, reader)
        guard moments else { return }
        let layout = state.parameters.layout
        for (folder, moment) in [(firstMoment, state.firstMoment), (secondMoment, state.secondMoment)] {
            try load(folder, reader, layout, moment.ranges) { moment[$0] }
        }
    }
}
