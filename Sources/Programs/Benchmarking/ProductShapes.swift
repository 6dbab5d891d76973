package import Configuration
import Kernels
import MatrixProducts
import Model
package import Tensors
package import Threading

/// One product of a micro-batch's forward or backward pass: `[rows, inner]·[inner, columns]`, `copies` of them at once, such as
/// one for each expert that is full.
package struct ProductShape: Sendable, Equatable {
    package enum Pass: String, Codable, Sendable { case forward, inputGradient = "dX", weightGradient = "dW" }

    /// The parameter it belongs to.
    package var name: String
    package var pass: Pass
    package var rows: Int
    package var inner: Int
    package var columns: Int
    package var copies: Int

    package var flops: Double { 2 * Double(rows * inner * columns * copies) }

    /// All products of a micro-batch of `tokens` tokens in a layer, of each kind if layers have different numbers of experts,
    /// and in the head; experts at capacity, all on this rank.
    package static func all(
        of model: ModelShape, _ routing: RoutingConfiguration, microBatchTokens tokens: Int, headChunk: Int
    ) -> [ProductShape] {
        let d = model.dModel, hidden = model.expertHiddenSize
        let ofExperts = model.layerKinds.flatMap { kind in
            let sizes = LayerSizes(
                model, routing, layer: kind.layer, microBatchTokens: tokens, expertParallelSize: 1)
            return three("router" + kind.suffix, tokens, d, kind.experts)
                + three("expert gate and up" + kind.suffix, sizes.capacity, d, 2 * hidden, copies: kind.experts)
                + three("expert down" + kind.suffix, sizes.capacity, hidden, d, copies: kind.experts)
        }
        return three("qkv", tokens, d, model.attention.projectedWidth)
            + three("attention output", tokens, model.attention.queryWidth, d) + ofExperts
            + ofUnrouted("shared", model.shared.hiddenSize, model, tokens)
            + ofUnrouted("dense", model.dense.hiddenSize, model, tokens)
            + three("head", min(headChunk, tokens), d, model.vocabularySize)
    }

    private static func ofUnrouted(
        _ name: String, _ hidden: Int, _ model: ModelShape, _ tokens: Int
    ) -> [ProductShape] {
        guard hidden > 0 else { return [] }
        return three("\(name) gate and up", tokens, model.dModel, 2 * hidden)
            + three("\(name) down", tokens, hidden, model.dModel)
    }

    /// `Y = X·W`, `dX = dY·Wᵀ`, `dW += Xᵀ·dY` for `W` of `[input, output]`.
    private static func three(
        _ name: String, _ rows: Int, _ input: Int, _ output: Int, copies: Int = 1
    ) -> [ProductShape] {
        [
            ProductShape(
                name: name, pass: .forward, rows: rows, inner: input, columns: output, copies: copies),
            ProductShape(
                name: name, pass: .inputGradient, rows: rows, inner: output, columns: input, copies: copies),
            ProductShape(
                name: name, pass: .weightGradient, rows: input, inner: rows, columns: output, copies: copies),
        ]
    }

    /// FLOP/s of all threads, through the tiles that training uses.
    package func measure(_ precision: Precision, on workers: ThreadPool, repetitions: Int = 5) -> Sample {
        let jobs = (0..<copies).map { _ in
            ProductJob(
                factor(precision, rows, inner, isTransposed: pass == .weightGradient),
                factor(precision, inner, columns, isTransposed: pass == .inputGradient),
                into: pass == .weightGradient
                    ? .float32(Tensor(rows: rows, columns: columns)) : Operand(precision, rows: rows, columns: columns),
                adding: pass == .weightGradient)
        }
        return secondsPerCall(repetitions: repetitions) { multiply(jobs, on: workers) }.rate(of: flops)
    }
}

/// Small numbers, none of them subnormal or growing.
func filled(_ rows: Int, _ columns: Int) -> Tensor {
    let tensor = Tensor(rows: rows, columns: columns)
    fill(tensor.vector)
    return tensor
}

func fill(_ vector: Vector<Float>) {
    var values = unsafe vector.unsafeMutableSpan
    for i in 0..<values.count { values[i] = Float(i &* 7 % 13 &- 6) / 64 }
}

func filled(_ precision: Precision, _ rows: Int, _ columns: Int) -> Operand {
    let numbers = filled(rows, columns)
    guard precision == .bfloat16 else { return .float32(numbers) }
    let rounded = Matrix<BFloat16>(rows: rows, columns: columns)
    round(numbers.vector, into: rounded.vector)
    return .bfloat16(rounded)
}

/// `[rows, columns]` as a factor, stored transposed if so.
private func factor(_ precision: Precision, _ rows: Int, _ columns: Int, isTransposed: Bool) -> Factor {
    Factor(
        filled(precision, isTransposed ? columns : rows, isTransposed ? rows : columns), isTransposed: isTransposed)
}
