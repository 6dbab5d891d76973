package import Configuration
import Kernels
package import Tensors
import Threading

/// The normalization in front of a block's halves and of the head: RMSNorm or LayerNorm.
package struct Norm: Sendable {
    private let kind: NormKind
    private let epsilon: Float
    private let weight: ParameterID
    private let bias: ParameterID?

    /// What a norm keeps for its backward pass.
    package struct Activations: Sendable {
        /// `[tokens, dModel]`, the normalized rows, in the precision of whatever reads them.
        package let output: Operand
        /// `[tokens]`
        package let mean: Vector<Float>
        package let reciprocal: Vector<Float>

        package init(tokens: Int, dModel: Int, _ precision: Precision) {
            output = Operand(precision, rows: tokens, columns: dModel)
            mean = Vector(count: tokens)
            reciprocal = Vector(count: tokens)
        }
    }

    package init(_ name: String, _ model: ModelShape, _ layout: ParameterLayout) {
        kind = model.norm
        epsilon = Float(model.normEpsilon)
        weight = layout.id("\(name).weight")
        bias = model.norm == .layer ? layout.id("\(name).bias") : nil
    }

    /// - Parameter x: `[tokens, dModel]`
    /// - Returns: `[tokens, dModel]`, the kept output
    package func forward(
        _ x: Tensor, saving saved: Activations, in pass: ForwardContext
    ) -> Operand {
        let parameters = pass.parameters
        let y = saved.output.rows(0..<x.rows)
        switch kind {
        case .rms:
            rmsNorm(
                x, weight: parameters.tensor(weight), epsilon: epsilon, into: y, reciprocal: saved.reciprocal,
                on: pass.pool)
        case .layer:
            layerNorm(
                x, weight: parameters.tensor(weight), bias: parameters.tensor(bias!), epsilon: epsilon, into: y,
                mean: saved.mean, reciprocal: saved.reciprocal, on: pass.pool)
        }
        return y
    }

    /// - Parameters:
    ///   - dy: `[tokens, dModel]`
    ///   - x: the input of the forward pass
    ///   - dx: `[tokens, dModel]`, added to
    package func backward(
        _ dy: Tensor, input x: Tensor, saved: Activations, addingTo dx: Tensor, in pass: BackwardContext
    ) {
        guard dy.rows > 0 else { return }
        let parameters = pass.parameters, gradients = pass.gradients, pool = pass.pool
        let parts = pass.workspace.scratch.tokenSums.columns(0..<dy.columns)
        switch kind {
        case .rms:
            rmsNormBackward(
                dy, x: x, weight: parameters.tensor(weight), reciprocal: saved.reciprocal, addingTo: dx, on: pool)
            gradients.accumulate(weight, on: pool) { target in
                rmsNormWeightGradient(
                    dy, x: x, reciprocal: saved.reciprocal, into: target.tensor(), adding: target.isAdding(),
                    parts: parts, on: pool)
            }
        case .layer:
            layerNormBackward(
                dy, x: x, weight: parameters.tensor(weight), mean: saved.mean, reciprocal: saved.reciprocal,
                addingTo: dx, on: pool)
            gradients.accumulate(weight, on: pool) { target in
                layerNormWeightGradient(
                    dy, x: x, mean: saved.mean, reciprocal: saved.reciprocal, into: target.tensor(),
                    adding: target.isAdding(), parts: parts, on: pool)
            }
            gradients.accumulate(bias!, on: pool) { target in
                columnSums(.float32(dy), into: target.tensor(), adding: target.isAdding(), parts: parts, on: pool)
            }
        }
    }
}
