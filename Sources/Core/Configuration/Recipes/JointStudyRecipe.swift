import Diagnostics
import Platform

/// `LR = exp(8.39 − 0.81·ln N_act − 0.25·ln E)`: the peak learning rate.
///
/// Ludziejewski et al. 2025 (arXiv:2502.05172), eq. 10, with the unrounded coefficients of the authors' code. The text
/// says N_act excludes the embedding, but only with embedding and head does the rule give the rates the authors searched;
/// so it counts them here.
package func peakLearningRate(active: Double, experts: Double) -> Double {
    exp(8.391640956234012 - 0.8121798244457074 * log(active) - 0.25 * log(experts))
}

/// What to say of the rule's rate for a model outside the sizes that it was fitted to; nil within them.
/// - Parameter active: parameters, with embedding and head
package func peakLearningRateCaution(active: Double) -> String? {
    let sizes = 30e6...1.3e9
    guard !sizes.contains(active) else { return nil }
    return
        "the rule was fitted to models of \(shortCount(sizes.lowerBound)) to \(shortCount(sizes.upperBound)) active parameters: "
        + "look for the best rate at this size"
}

/// One batch size and the token of the run from which it holds.
package struct BatchStage: Sendable, Equatable, Codable {
    package let fromToken: Double
    package let tokens: Int

    package init(fromToken: Double, tokens: Int) { (self.fromToken, self.tokens) = (fromToken, tokens) }

    enum CodingKeys: String, CodingKey {
        case fromToken = "from_token"
        case tokens
    }
}

/// 65,536 tokens, 131,072 from 0.5B on, 262,144 from 1B on (Ludziejewski et al. 2025, appendix), as far as a run of
/// `tokens` gets.
package func batchRamp(tokens: Double) -> [BatchStage] {
    [
        BatchStage(fromToken: 0, tokens: 65_536), BatchStage(fromToken: 0.5e9, tokens: 131_072),
        BatchStage(fromToken: 1e9, tokens: 262_144),
    ].filter { $0.fromToken == 0 || $0.fromToken < tokens }
}
