package import Layers
package import Tensors

/// All that changes while training: parameters, their moments and how far it has come. Data order and randomness are
/// functions of the step.
package struct TrainingState: Sendable {
    package let parameters: ParameterArena
    package let firstMoment: ParameterArena
    package let secondMoment: ParameterArena
    /// Optimizer steps done.
    package var step = 0

    /// - Parameter precision: of the products that will read the parameters
    package init(_ layout: ParameterLayout, for precision: Precision) {
        parameters = ParameterArena(layout, for: precision)
        firstMoment = ParameterArena(layout)
        secondMoment = ParameterArena(layout)
    }
}
