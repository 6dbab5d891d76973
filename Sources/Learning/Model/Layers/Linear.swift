import Kernels
import MatrixProducts
package import Tensors
import Threading

/// `y = x·W`, without bias, in the precision of x.
package struct Linear: Sendable {
    private let weight: ParameterID

    package init(_ name: String, _ layout: ParameterLayout) { weight = layout.id(name) }

    /// - Parameters:
    ///   - x: `[tokens, in]`
    ///   - y: `[tokens, out]`, overwritten, or added to if `adding`
    ///   - finish: as `ProductJob` has it
    package func forward(
        _ x: Operand, into y: Operand, adding: Bool = false, in pass: ForwardContext,
        finish: (@Sendable (Range<Int>) -> Void)? = nil
    ) {
        let weight = pass.parameters.operand(weight, like: x)
        multiply([ProductJob(x.factor, weight.factor, into: y, adding: adding, finish: finish)], on: pass.pool)
    }

    /// `dx = dy·Wᵀ`, `dW += xᵀ·dy`.
    /// - Parameters:
    ///   - dy: `[tokens, out]`
    ///   - x: the input of the forward pass
    ///   - dx: `[tokens, in]`, overwritten, or added to if `adding`
    package func backward(
        _ dy: Operand, input x: Operand, into dx: Operand, adding: Bool = false, in pass: BackwardContext
    ) {
        guard dy.rows > 0 else { return }
        let pool = pass.pool
        multiply(
            dy.factor, pass.parameters.operand(weight, like: dy).transposed, into: dx, adding: adding, on: pool)
        pass.gradients.accumulate(weight, on: pool) { target in
            multiply(x.transposed, dy.factor, into: .float32(target.tensor()), adding: target.isAdding(), on: pool)
        }
    }
}
