import Kernels
package import Tensors

/// Turns the router's logits into the scores by which experts are selected and weighted.
///
/// Scores of one token are a function of its logits alone, so that any layout and number of threads gives the same bits.
package protocol RouterScoring: Sendable {
    /// - Parameters:
    ///   - logits: `[tokens, experts]`, replaced by scores
    ///   - logSumExp: `[tokens]` of the logits, for the z-loss
    ///   - pass: the forward pass that the layer belongs to
    func forward(_ logits: Tensor, logSumExp: Vector<Float>, in pass: ForwardContext)

    /// - Parameters:
    ///   - scores: `[tokens, experts]`
    ///   - logSumExp: `[tokens]`
    ///   - zLossWeight: ζ
    ///   - dScores: `[tokens, experts]`, replaced by the gradient of the logits, with that of the z-loss
    ///   - pass: the backward pass that the layer belongs to
    func backward(
        _ scores: Tensor, logSumExp: Vector<Float>, zLossWeight: Double, replacing dScores: Tensor,
        in pass: BackwardContext)
}

/// `p = softmax(z)`.
package struct SoftmaxScores: RouterScoring {
    package init() {}

    package func forward(_ logits: Tensor, logSumExp: Vector<Float>, in pass: ForwardContext) {
        routerSoftmax(logits, logSumExp: logSumExp, on: pass.pool)
    }

    package func backward(
        _ scores: Tensor, logSumExp: Vector<Float>, zLossWeight: Double, replacing dScores: Tensor,
        in pass: BackwardContext
    ) {
        routerSoftmaxBackward(
            scores, logSumExp: logSumExp, zScale: Float(zLossWeight * pass.scale.auxiliary), replacing: dScores,
            on: pass.pool)
    }
}
