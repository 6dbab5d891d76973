package import Tensors
package import Threading

/// Rows that one task of an elementwise kernel takes.
let rowTile = 64

/// `y = x · r · w`, `r = 1/√(mean x² + ε)` per row. Zhang & Sennrich, "Root Mean Square Layer Normalization"
/// (arXiv:1910.07467), equation 4.
/// - Parameters:
///   - x: `[tokens, dModel]`
///   - weight: `[1, dModel]`
///   - y: `[tokens, dModel]`, rounded to its precision
///   - reciprocal: `[tokens]`, r, kept for the backward pass
package func rmsNorm(
    _ x: Tensor, weight: Tensor, epsilon: Float, into y: Operand, reciprocal: Vector<Float>, on workers: ThreadPool
) {
    switch y {
    case .float32(let y): rmsNorm(x, weight: weight, epsilon: epsilon, into: y, reciprocal: reciprocal, on: workers)
    case .bfloat16(let y): rmsNorm(x, weight: weight, epsilon: epsilon, into: y, reciprocal: reciprocal, on: workers)
    }
}

private func rmsNorm<Element: MatrixElement>(
    _ x: Tensor, weight: Tensor, epsilon: Float, into y: Matrix<Element>, reciprocal: Vector<Float>,
    on workers: ThreadPool
) {
    let d = x.columns
    workers.run(over: x.rows, tile: rowTile) { rows in
        let w = weight.span
        for t in rows {
            let row = x.row(t)
            let r = 1 / (dot(row, row) / Float(d) + epsilon).squareRoot()
            reciprocal[t] = r
            var out = unsafe y.unsafeMutableRow(t)
            for i in 0..<d { out[i] = Element(rounding: row[i] * r * w[i]) }
        }
    }
}

/// Backward of `rmsNorm` to its input: `dx += r·(w·dy − x·r²·mean(w·dy·x))`.
/// - Parameters:
///   - dy: `[tokens, dModel]`
///   - dx: `[tokens, dModel]`, added to: the residual's gradient is already there
package func rmsNormBackward(
    _ dy: Tensor, x: Tensor, weight: Tensor, reciprocal: Vector<Float>, addingTo dx: Tensor, on workers: ThreadPool
) {
    let d = x.columns
    workers.run(over: x.rows, tile: rowTile) { rows in
        let w = weight.span
        for t in rows {
            let xRow = x.row(t), dyRow = dy.row(t)
            let r = reciprocal[t]
            let s = tripleDot(dyRow, xRow, w) * r * r * r / Float(d)
            var out = unsafe dx.unsafeMutableRow(t)
            for i in 0..<d { out[i] += dyRow[i] * w[i] * r - xRow[i] * s }
        }
    }
}

/// Backward of `rmsNorm` to its weight: `dw (+)= Σ_t dy·x·r`, in the order of `sumOverTokens`.
/// - Parameters:
///   - dWeight: `[1, dModel]`, overwritten, or added to if `adding`
///   - parts: `[≥ partialSumRows(tokens), dModel]`, scratch
package func rmsNormWeightGradient(
    _ dy: Tensor, x: Tensor, reciprocal: Vector<Float>, into dWeight: Tensor, adding: Bool, parts: Tensor,
    on workers: ThreadPool
) {
    sumOverTokens(x.rows, into: dWeight, adding: adding, parts: parts, on: workers) { t, sums in
        let xRow = x.row(t), dyRow = dy.row(t)
        let r = reciprocal[t]
        for i in 0..<xRow.count { sums[i] += dyRow[i] * xRow[i] * r }
    }
}
