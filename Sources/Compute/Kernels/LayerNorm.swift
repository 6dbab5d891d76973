package import Tensors
package import Threading

/// `y = (x − μ)·r·w + b`, `r = 1/√(σ² + ε)` per row, σ² the biased variance. Ba, Kiros & Hinton, "Layer Normalization"
/// (arXiv:1607.06450), equation 4.
/// - Parameters:
///   - x, y: `[tokens, dModel]`; y is rounded to its precision
///   - weight, bias: `[1, dModel]`
///   - mean, reciprocal: `[tokens]`, μ and r, kept for the backward pass
package func layerNorm(
    _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, into y: Operand, mean: Vector<Float>,
    reciprocal: Vector<Float>, on workers: ThreadPool
) {
    let statistics = LayerNormStatistics(mean: mean, reciprocal: reciprocal)
    switch y {
    case .float32(let y): statistics.normalize(x, weight, bias, epsilon, into: y, on: workers)
    case .bfloat16(let y): statistics.normalize(x, weight, bias, epsilon, into: y, on: workers)
    }
}

/// μ and r of every row.
private struct LayerNormStatistics: Sendable {
    let mean: Vector<Float>
    let reciprocal: Vector<Float>

    func normalize<Element: MatrixElement>(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ epsilon: Float, into y: Matrix<Element>, on workers: ThreadPool
    ) {
        let d = x.columns
        workers.run(over: x.rows, tile: rowTile) { rows in
            let w = weight.span, b = bias.span
            for t in rows {
                let row = x.row(t)
                let mu = sum(row) / Float(d)
                let r = 1 / (sumOfSquaredDeviations(row, from: mu) / Float(d) + epsilon).squareRoot()
                mean[t] = mu
                reciprocal[t] = r
                var out = unsafe y.unsafeMutableRow(t)
                for i in 0..<d { out[i] = Element(rounding: (row[i] - mu) * r * w[i] + b[i]) }
            }
        }
    }
}

/// Backward of `layerNorm` to its input: with `x̂ = (x − μ)·r` and `g = w·dy`, `dx += r·(g − mean g − x̂·mean(g·x̂))`.
/// - Parameters:
///   - dy: `[tokens, dModel]`
///   - dx: `[tokens, dModel]`, added to
package func layerNormBackward(
    _ dy: Tensor, x: Tensor, weight: Tensor, mean: Vector<Float>, reciprocal: Vector<Float>, addingTo dx: Tensor,
    on workers: ThreadPool
) {
    let d = x.columns
    workers.run(over: x.rows, tile: rowTile) { rows in
        let w = weight.span
        for t in rows {
            let xRow = x.row(t), dyRow = dy.row(t)
            let r = reciprocal[t], mu = mean[t]
            let meanG = dot(dyRow, w) / Float(d)
            let meanGX = (tripleDot(dyRow, xRow, w) / Float(d) - mu * meanG) * r
            var out = unsafe dx.unsafeMutableRow(t)
            for i in 0..<d { out[i] += r * (dyRow[i] * w[i] - meanG - (xRow[i] - mu) * r * meanGX) }
        }
    }
}

/// Backward of `layerNorm` to its weight: `dw (+)= Σ_t dy·x̂`, in the order of `sumOverTokens`.
/// - Parameters:
///   - dWeight: `[1, dModel]`, overwritten, or added to if `adding`
///   - parts: `[≥ partialSumRows(tokens), dModel]`, scratch
package func layerNormWeightGradient(
    _ dy: Tensor, x: Tensor, mean: Vector<Float>, reciprocal: Vector<Float>, into dWeight: Tensor, adding: Bool,
    parts: Tensor, on workers: ThreadPool
) {
    sumOverTokens(x.rows, into: dWeight, adding: adding, parts: parts, on: workers) { t, sums in
        let xRow = x.row(t), dyRow = dy.row(t)
        let r = reciprocal[t], mu = mean[t]
        for i in 0..<xRow.count { sums[i] += dyRow[i] * (xRow[i] - mu) * r }
    }
}
