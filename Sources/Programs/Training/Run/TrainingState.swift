import Configuration
package import Model
package import Parallelism

/// All that changes while training: parameters, their moments and how far it has come. Data order is a function of the
/// sequences consumed, the schedule one of the tokens.
package struct TrainingState: Sendable {
    package let parameters: ParameterArena
    package let firstMoment: Moment
    package let secondMoment: Moment
    /// The slices of the arenas that this rank updates, and writes into checkpoints.
    let ownedRanges: [Range<Int>]
    /// Optimizer steps done.
    package var step = 0
    /// Data used in them.
    package var consumed = Consumed()
    /// Which of them were applied.
    package var stepGuard = StepGuard()

    /// Updates of the parameters done.
    var updates: Int { step - stepGuard.skipped }

    /// What a rank of this engine trains; where optimizers are distributed it holds moments of its own slices only.
    package init(for engine: Engine) {
        parameters = ParameterArena(engine.layout, for: engine.precision)
        ownedRanges = engine.ownedRanges
        let ranges = engine.isOptimizerDistributed ? engine.ownedRanges : [0..<engine.layout.count]
        firstMoment = Moment(over: ranges)
        secondMoment = Moment(over: engine.optimizer.kind.secondMoment(of: engine.layout, in: ranges))
    }
}

extension OptimizerKind {
    /// Where in `ranges` of the arenas a parameter has a second moment: Muon needs none of its matrices.
    func secondMoment(of layout: ParameterLayout, in ranges: [Range<Int>]) -> [Range<Int>] {
        guard self == .muon else { return ranges }
        let others = layout.entries.filter { $0.hiddenMatrices == 0 }
        return ranges.flatMap { range in others.map { $0.range.clamped(to: range) } }.filter { !$0.isEmpty }
    }
}
