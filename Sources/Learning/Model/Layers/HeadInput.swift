import Configuration
import Kernels
import Tensors
import Threading

/// What the head reads: the residual stream after the last block, through a norm if the model has one there.
struct HeadInput: Sendable {
    private let norm: Norm?

    init(_ model: ModelShape, _ layout: ParameterLayout) {
        norm = model.finalNorm ? Norm("final_norm", model, layout) : nil
    }

    /// - Parameters:
    ///   - x: `[tokens, dModel]`
    ///   - saved: takes the norm's results, or x rounded to the precision of products
    ///   - pass: a forward pass
    func forward(_ x: Tensor, saving saved: Norm.Activations, in pass: ForwardContext) -> Operand {
        norm?.forward(x, saving: saved, in: pass) ?? operand(x, roundedInto: saved.output, on: pass.pool)
    }

    /// - Parameters:
    ///   - x: the input of the forward pass
    ///   - saved: from the forward pass
    ///   - dx: `[tokens, dModel]`, overwritten
    ///   - pass: the backward pass
    ///   - gradient: overwrites what it is given with the gradient of what the head read
    func backward(
        _ x: Tensor, saved: Norm.Activations, into dx: Tensor, in pass: BackwardContext, _ gradient: (Tensor) -> Void
    ) {
        guard let norm else { return gradient(dx) }
        let dNorm = pass.workspace.scratch.dNorm.rows(0..<x.rows)
        gradient(dNorm)
        clear(dx, on: pass.pool)
        norm.backward(dNorm, input: x, saved: saved, addingTo: dx, in: pass)
    }
}
