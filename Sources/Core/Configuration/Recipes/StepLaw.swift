import Platform

/// Step Law: the peak learning rate `η = 1.79·N^−0.713·D^0.307`, and `B = 0.58·D^0.571` tokens a step.
///
/// Li et al. 2025, "Predictable Scale: Part I, Step Law" (arXiv:2503.04715), from 3,700 trainings. N leaves out embedding and
/// head. The paper finds the law for dense models and for mixtures of experts of several sparsities.
package enum StepLaw {
    /// Returns η, the learning rate at its peak.
    ///
    /// - Parameters:
    ///   - parameters: N, without embedding and head
    ///   - tokens: D, of the whole training
    package static func learningRate(parameters: Double, tokens: Double) -> Double {
        1.79 * pow(parameters, -0.713) * pow(tokens, 0.307)
    }

    /// Returns B, the tokens of a step; N is not in it.
    ///
    /// - Parameter tokens: D, of the whole training
    package static func batchTokens(tokens: Double) -> Double { 0.58 * pow(tokens, 0.571) }
}
