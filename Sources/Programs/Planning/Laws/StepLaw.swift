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

/// What Step Law advises for one model.
package struct StepLawAdvice: Sendable, Equatable, Codable {
    /// η with N = all parameters between embedding and head.
    package let learningRate: Double
    /// η with N = the parameters of them that work on one token; the same for a dense model.
    package let activeLearningRate: Double
    /// B
    package let batchTokens: Double

    enum CodingKeys: String, CodingKey {
        case learningRate = "learning_rate"
        case activeLearningRate = "learning_rate_by_active_parameters"
        case batchTokens = "batch_tokens"
    }

    /// - Parameters:
    ///   - shape: of the model
    ///   - counting: of its parameters
    ///   - tokens: D
    init(_ shape: Architecture, _ counting: Counting, tokens: Double) {
        learningRate = StepLaw.learningRate(parameters: counting.body(shape), tokens: tokens)
        activeLearningRate = StepLaw.learningRate(parameters: counting.activeBody(shape), tokens: tokens)
        batchTokens = StepLaw.batchTokens(tokens: tokens)
    }
}
