package import Configuration
import Model

/// What the checkpoints of a run take.
extension RunDescription<Int> {
    /// Bytes of one: parameters, their moments, and their average if there is one, in float32.
    package var checkpointBytes: Int {
        let layout = ParameterLayout(model, .all), all = layout.entries.map(\.range)
        let second = optimizer.kind.secondMoment(of: layout, in: all)
        let average = optimizer.keepsAverage ? all : []
        return (all + all + second + average).reduce(0) { $0 + 4 * $1.count }
    }

    /// How many stay, those of its branches included; not those of `checkpoint.keep_every`.
    package var keptCheckpoints: Int {
        let rolling = checkpoint.keep + (checkpoint.keepBest ? 1 : 0), branches = length.branches.count
        return rolling * (branches + 1) + checkpoint.atTokens.count + branches
    }
}
