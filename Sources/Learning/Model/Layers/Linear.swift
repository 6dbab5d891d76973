import Kernels
import MatrixProducts
package import Tensors
import Threading

/// `y = x·W + b` in the precision of x; without b where the layout has no bias of this name.
package struct Linear: Sendable {
    private let weight: ParameterID
    private let bias: ParameterID?

    package init(_ name: String, _ layout: ParameterLayout) {
        weight = layout.id(name)
        bias = layout.bias("\(name)_bias")
    }

    /// - Parameters:
    ///   - x: `[tokens, in]`
    ///   - y: `[tokens, out]`, overwritten, or added to if `adding`
    ///   - finish: as `ProductJob` has it
    package func forward(
        _ x: Operand, into y: Operand, adding: Bool = false, in pass: ForwardContext,
        finish: (@Sendable (Range<Int>) -> Void)? = nil
    ) {
        let weight = pass.parameters.operand(weight, like: x)
        var finishRows = finish
        if let bias {
            let b = pass.parameters.tensor(bias)
            finishRows = { rows in
                addBias(b, to: y.rows(rows))
                finish?(rows)
            }
        }
        multiply([ProductJob(x.factor, weight.factor, into: y, adding: adding, finish: finishRows)], on: pass.pool)
    }

    /// `dx = dy·Wᵀ`, `dW += xᵀ·dy`, `db += Σ_t dy_t`.
    /// - Parameters:
    ///   - dy: `[tokens, out]`
    ///   - x: the input of the forward pass
    ///   - dx: `[tokens, in]`, overwritten, or added to if `adding`
    package func backward(
        _ dy: Operand, input x: Operand, into dx: Operand, adding: Bool = false, in pass: BackwardContext
    ) {
        guard dy.rows > 0 else { return }
        let pool = pass.pool, gradients = pass.gradients
        multiply(
            dy.factor, pass.parameters.operand(weight, like: dy).transposed, into: dx, adding: adding, on: pool)
        gradients.accumulate(weight, on: pool) { target in
            multiply(x.transposed, dy.factor, into: .float32(target.tensor()), adding: target.isAdding(), on: pool)
        }
        guard let bias else { return }
        let parts = pass.workspace.scratch.tokenSums.columns(0..<dy.columns)
        gradients.accumulate(bias, on: pool) { target in
            columnSums(dy, into: target.tensor(), adding: target.isAdding(), parts: parts, on: pool)
        }
    }
}
