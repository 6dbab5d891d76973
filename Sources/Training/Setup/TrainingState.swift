package import Layers

/// All that changes while training: parameters, their moments and how far it has come. Data order and randomness are
/// functions of the step.
package struct TrainingState: Sendable {
    package let parameters: ParameterArena
    package let firstMoment: ParameterArena
    package let secondMoment: ParameterArena
    /// Optimizer steps done.
    package var step = 0

    package init(_ layout: ParameterLayout) {
        parameters = ParameterArena(layout)
        firstMoment = ParameterArena(layout)
        secondMoment = ParameterArena(layout)
    }
}
