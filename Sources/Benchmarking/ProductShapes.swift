import GEMM
import Kernels
package import Layers
import Tensors
package import Workers

/// One product of a lane's forward or backward pass: `[rows, inner]·[inner, columns]`, `copies` of them at once, such as
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

    /// All products of a lane of `tokens` tokens in one layer and the head, experts at capacity, all on this rank.
    package static func all(
        of model: ModelSettings, _ routing: RoutingSettings, laneTokens tokens: Int, headChunk: Int
    ) -> [ProductShape] {
        let d = model.dModel, hidden = model.expertHidden, experts = model.expertCount
        let seats = routing.capacityFactor.capacity(tokens: tokens, choices: model.choices, experts: experts)
        return three("qkv", tokens, d, 3 * d) + three("attention output", tokens, d, d)
            + three("router", tokens, d, experts) + three("expert gate and up", seats, d, 2 * hidden, copies: experts)
            + three("expert down", seats, hidden, d, copies: experts)
            + three("head", min(headChunk, tokens), d, model.vocabularySize)
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
    package func measure(on workers: Workers, rounds: Int = 5) -> Sample {
        let jobs = (0..<copies).map { _ in
            ProductJob(
                filled(pass == .weightGradient ? inner : rows, pass == .weightGradient ? rows : inner).as(
                    transposed: pass == .weightGradient),
                filled(pass == .inputGradient ? columns : inner, pass == .inputGradient ? inner : columns).as(
                    transposed: pass == .inputGradient), into: Tensor(rows: rows, columns: columns),
                adding: pass == .weightGradient)
        }
        return secondsPerCall(rounds: rounds) { multiply(jobs, on: workers) }.rate(of: flops)
    }
}

/// Small numbers, none of them subnormal or growing.
func filled(_ rows: Int, _ columns: Int) -> Tensor {
    let tensor = Tensor(rows: rows, columns: columns)
    fill(tensor.vector)
    return tensor
}

func fill(_ vector: Vector<Float>) {
    var values = vector.mutableSpan
    for i in 0..<values.count { values[i] = Float(i &* 7 % 13 &- 6) / 64 }
}

extension Tensor {
    fileprivate func `as`(transposed: Bool) -> Factor { Factor(self, isTransposed: transposed) }
}
