import Kernels
package import Tensors

/// Selects k experts for every token and says by what their outputs are multiplied.
///
/// A rule may read parameters of its own from `pass`; it depends on no other token's micro-batch.
package protocol ExpertSelection: Sendable {
    /// Fills in `expertIndices` and `gates`, best first; no expert twice for one token.
    /// - Parameters:
    ///   - routing: holds the scores
    ///   - tokens: of the micro-batch: the rows of `routing` that count
    ///   - pass: the forward pass that the layer belongs to
    func forward(_ routing: Routing, tokens: Int, in pass: ForwardContext)

    /// Adds what the gates give to the gradient of the scores.
    /// - Parameters:
    ///   - dGates: `[tokens · k]`, zero for choices that found no slot
    ///   - routing: of the forward pass
    ///   - dScores: `[tokens, experts]`
    ///   - pass: the backward pass that the layer belongs to
    func backward(_ dGates: Vector<Float>, of routing: Routing, addingTo dScores: Tensor, in pass: BackwardContext)
}

/// The k experts with the highest scores, or the highest sums of score and bias; gates are the scores, or those over their sum.
///
/// Fedus, Zoph & Shazeer, "Switch Transformers" (arXiv:2101.03961), section 2.1.
package struct TopKSelection: ExpertSelection {
    /// Whether a token's gates are divided by their sum.
    private let normalizeGates: Bool
    private let bias: ParameterID?

    /// - Parameters:
    ///   - normalizeGates: whether a token's gates are divided by their sum
    ///   - bias: `[1, experts]`, added to the scores for the selection alone; nil adds nothing
    package init(normalizeGates: Bool, bias: ParameterID? = nil) {
        self.normalizeGates = normalizeGates
        self.bias = bias
    }

    package func forward(_ routing: Routing, tokens: Int, in pass: ForwardContext) {
        selectTopK(
            routing.probabilities.rows(0..<tokens), bias: bias.map(pass.parameters.vector), k: routing.expertsPerToken,
            normalize: normalizeGates, expertIndices: routing.expertIndices, gates: routing.gates, on: pass.pool)
    }

    package func backward(
        _ dGates: Vector<Float>, of routing: Routing, addingTo dScores: Tensor, in pass: BackwardContext
    ) {
        selectTopKBackward(
            routing.probabilities.rows(0..<dScores.rows), k: routing.expertsPerToken, normalize: normalizeGates,
            expertIndices: routing.expertIndices, gates: routing.gates, dGates: dGates, addingTo: dScores, on: pass.pool
        )
    }
}

/// For benchmarks: does the work of another rule, then gives tokens to the experts in turn, so that every expert gets its share.
package struct RoundRobinSelection: ExpertSelection {
    private let rule: any ExpertSelection

    package init(after rule: any ExpertSelection) { self.rule = rule }

    package func forward(_ routing: Routing, tokens: Int, in pass: ForwardContext) {
        rule.forward(routing, tokens: tokens, in: pass)
        let k = routing.expertsPerToken
        for i in 0..<tokens * k {
            routing.expertIndices[i] = Int32(i % routing.experts)
            routing.gates[i] = routing.probabilities[i / k, i % routing.experts]
        }
    }

    package func backward(
        _ dGates: Vector<Float>, of routing: Routing, addingTo dScores: Tensor, in pass: BackwardContext
    ) {
        rule.backward(dGates, of: routing, addingTo: dScores, in: pass)
    }
}
