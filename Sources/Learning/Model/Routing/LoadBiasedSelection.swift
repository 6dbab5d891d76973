package import Tensors

/// Selection by scores with a bias for each expert, which rises while the expert gets less than its share and falls while it gets
/// more: the load is kept even without a term of the loss.
///
/// Wang et al., "Auxiliary-Loss-Free Load Balancing Strategy for Mixture-of-Experts" (arXiv:2408.15664), algorithm 1. The bias is a
/// parameter, so that checkpoints keep it and every layout has the same; what micro-batches and ranks sum in place of its
/// gradient is each expert's excess of assignments. After the step `LoadBias` moves the bias against the sign of that sum.
package struct LoadBiasedSelection: ExpertSelection {
    private let topK: TopKSelection
    private let bias: ParameterID

    /// - Parameters:
    ///   - normalizeGates: whether a token's gates are divided by their sum
    ///   - bias: `[1, experts]`
    package init(normalizeGates: Bool, bias: ParameterID) {
        topK = TopKSelection(normalizeGates: normalizeGates, bias: bias)
        self.bias = bias
    }

    package func forward(_ routing: Routing, tokens: Int, in pass: ForwardContext) {
        topK.forward(routing, tokens: tokens, in: pass)
    }

    package func backward(
        _ dGates: Vector<Float>, of routing: Routing, addingTo dScores: Tensor, in pass: BackwardContext
    ) {
        topK.backward(dGates, of: routing, addingTo: dScores, in: pass)
        let experts = routing.experts, assignments = dScores.rows * routing.expertsPerToken
        pass.gradients.accumulate(bias, on: pass.pool) { target in
            var sums = unsafe target.tensor().vector.unsafeMutableSpan
            for expert in 0..<experts {
                let excess = Int(routing.tokensPerExpert[expert]) * experts - assignments
                sums[expert] = (target.isAdding() ? sums[expert] : 0) + Float(excess) * Self.unit
            }
        }
    }

    /// A power of two, so that sums of whole numbers stay exact: in floats up to 2^24 units, in the fixed point of exact mode all
    /// that a batch can contain.
    private static let unit: Float = 0x1p-34
}

/// The bias of `LoadBiasedSelection`: `b_e ← b_e − u·sign(excess_e)`.
package struct LoadBias: RouterState {
    /// u
    private let rate: Float

    package init(rate: Double) { self.rate = Float(rate) }

    /// - Parameters:
    ///   - bias: of some experts
    ///   - sums: in any unit: assignments to the expert less the mean of all
    package func update(_ bias: Vector<Float>, sums: Vector<Float>) {
        let excess = sums.span
        var bias = unsafe bias.unsafeMutableSpan
        precondition(bias.count == excess.count)
        for e in 0..<excess.count where excess[e] != 0 { bias[e] -= excess[e] > 0 ? rate : -rate }
    }
}
