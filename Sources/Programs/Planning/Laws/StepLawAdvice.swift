import Configuration

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
