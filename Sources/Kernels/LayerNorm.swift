package import Tensors
package import Workers

/// `y = (x − μ)·r·w + b`, `r = 1/√(σ² + ε)` per row, σ² the biased variance. Ba, Kiros & Hinton, "Layer Normalization"
/// (arXiv:1607.06450), equation 4.
/// - Parameters:
///   - x, y: `[tokens, dModel]`
///   - weight, bias: `[1, dModel]`
///   - mean, reciprocal: `[tokens]`, μ and r, kept for the backward pass
package func layerNorm(
    _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float, into y: Tensor, mean: Vector<Float>,
    reciprocal: Vector<Float>, on workers: Workers
) {
    let d = x.columns
    workers.run(over: x.rows, tile: rowTile) { rows in
        let w = weight.span, b = bias.span
        for t in rows {
            let row = x.row(t)
            let mu = sum(row) / Float(d)
            var out = y.mutableRow(t)
            for i in 0..<d { out[i] = row[i] - mu }
            let centred = y.row(t)
            let r = 1 / (dot(centred, centred) / Float(d) + epsilon).squareRoot()
            mean[t] = mu
            reciprocal[t] = r
            for i in 0..<d { out[i] = out[i] * r * w[i] + b[i] }
        }
    }
}

/// Backward of `layerNorm` to its input: with `x̂ = (x − μ)·r` and `g = w·dy`, `dx += r·(g − mean g − x̂·mean(g·x̂))`.
/// - Parameters:
///   - dy: `[tokens, dModel]`
///   - dx: `[tokens, dModel]`, added to
package func layerNormBackward(
    _ dy: Tensor, x: Tensor, weight: Tensor, mean: Vector<Float>, reciprocal: Vector<Float>, addingTo dx: Tensor,
    on workers: Workers
) {
    let d = x.columns
    workers.run(over: x.rows, tile: rowTile) { rows in
        let w = weight.span
        for t in rows {
            let xRow = x.row(t), dyRow = dy.row(t)
            let r = reciprocal[t], mu = mean[t]
            let meanG = dot(dyRow, w) / Float(d)
            let meanGX = (tripleDot(dyRow, xRow, w) / Float(d) - mu * meanG) * r
            var out = dx.mutableRow(t)
            for i in 0..<d { out[i] += r * (dyRow[i] * w[i] - meanG - (xRow[i] - mu) * r * meanGX) }
        }
    }
}

/// Backward of `layerNorm` to its weight: `dw (+)= Σ_t dy·x̂`, in token order; threads own columns.
/// - Parameter dWeight: `[1, dModel]`, overwritten, or added to if `adding`
package func layerNormWeightGradient(
    _ dy: Tensor, x: Tensor, mean: Vector<Float>, reciprocal: Vector<Float>, into dWeight: Tensor, adding: Bool,
    on workers: Workers
) {
    workers.run(over: x.columns, tile: columnTile) { columns in
        var sums = dWeight.columns(columns).mutableRow(0)
        if !adding { for i in 0..<columns.count { sums[i] = 0 } }
        for t in 0..<x.rows {
            let xRow = x.columns(columns).row(t), dyRow = dy.columns(columns).row(t)
            let r = reciprocal[t], mu = mean[t]
            for i in 0..<columns.count { sums[i] += dyRow[i] * (xRow[i] - mu) * r }
        }
    }
}

/// Backward of `layerNorm` to its bias: `db (+)= Σ_t dy`, in token order; threads own columns.
/// - Parameter dBias: `[1, dModel]`, overwritten, or added to if `adding`
package func columnSums(_ dy: Tensor, into dBias: Tensor, adding: Bool, on workers: Workers) {
    workers.run(over: dy.columns, tile: columnTile) { columns in
        var sums = dBias.columns(columns).mutableRow(0)
        if !adding { for i in 0..<columns.count { sums[i] = 0 } }
        for t in 0..<dy.rows {
            let row = dy.columns(columns).row(t)
            for i in 0..<columns.count { sums[i] += row[i] }
        }
    }
}
