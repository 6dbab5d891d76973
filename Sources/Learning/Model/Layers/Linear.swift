import Kernels
import MatrixProducts
package import Tensors
package import Threading

/// `y = x·W`, without bias, in the precision of x.
package struct Linear: Sendable {
    private let weight: ParameterID

    package init(_ name: String, _ layout: ParameterLayout) { weight = layout.id(name) }

    /// - Parameters:
    ///   - x: `[tokens, in]`
    ///   - y: `[tokens, out]`, overwritten, or added to if `adding`
    ///   - finish: as `ProductJob` has it
    package func forward(
        _ x: Operand, _ parameters: ParameterArena, into y: Operand, adding: Bool = false, on workers: Workers,
        finish: (@Sendable (Range<Int>) -> Void)? = nil
    ) {
        let weight = parameters.operand(weight, like: x)
        multiply([ProductJob(x.factor, weight.factor, into: y, adding: adding, finish: finish)], on: workers)
    }

    /// `dx = dy·Wᵀ`, `dW += xᵀ·dy`.
    /// - Parameter dx: `[tokens, in]`, overwritten, or added to if `adding`
    package func backward(
        _ dy: Operand, x: Operand, _ parameters: ParameterArena, into dx: Operand, adding: Bool = false,
        gradients: GradientAccumulator, on workers: Workers
    ) {
        guard dy.rows > 0 else { return }
        multiply(dy.factor, parameters.operand(weight, like: dy).transposed, into: dx, adding: adding, on: workers)
        gradients.accumulate(weight, on: workers) { target in
            multiply(x.transposed, dy.factor, into: .float32(target.tensor()), adding: target.isAdding(), on: workers)
        }
    }
}
