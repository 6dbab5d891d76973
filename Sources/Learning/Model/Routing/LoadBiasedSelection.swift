package import Tensors

/// Selection by scores with a bias for each expert, which rises while the expert gets less than its share and falls while it gets
/// more: the load is kept even without a term of the loss.
///
/// Wang et al., "Auxiliary-Loss-Free Load Balancing Strategy for Mixture-of-Experts" (arXiv:2408.15664), algorithm 1. The bias is a
/// parameter, so that checkpoints keep it and every layout has the same; what micro-batches and ranks sum in place of its
/// gradient is each expert's excess of assignments. After the step `LoadBiasStep` moves the bias against the sign of that sum.
package struct LoadBiasedSelection: ExpertSelection {
    private let topK: TopKSelection
    private let bias: ParameterID

    /// - Parameters:
    ///   - topK: selects with the same bias
    ///   - bias: `[1, experts]`
    package init(_ topK: TopKSelection, bias: ParameterID) {
        self.topK = topK
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
