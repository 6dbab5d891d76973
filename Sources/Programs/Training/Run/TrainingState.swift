package import Model
package import Parallelism

/// All that changes while training: parameters, their moments and how far it has come. Data order is a function of the
/// sequences consumed, the schedule one of the tokens.
package struct TrainingState: Sendable {
    package let parameters: ParameterArena
    package let firstMoment: Moment
    package let secondMoment: Moment
    /// Optimizer steps done.
    package var step = 0
    /// Data used in them.
    package var consumed = Consumed()

    /// What a rank of this engine trains; with a distributed optimizer it holds moments of its own slices only.
    package init(for engine: Engine) {
        parameters = ParameterArena(engine.layout, for: engine.precision)
        let ranges = engine.isOptimizerDistributed ? engine.ownedRanges : [0..<engine.layout.count]
        firstMoment = Moment(over: ranges)
        secondMoment = Moment(over: ranges)
    }
}
