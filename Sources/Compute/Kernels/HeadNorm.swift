package import Tensors
package import Threading

/// RMSNorm of queries or keys, in place: `y = x · r · w`, `r = 1/√(mean x² + ε)`, for every row and group of as many columns as
/// the weight has: a head, or all of them. On the calling thread: for rows of a product that was just computed.
///
/// Henry et al., "Query-Key Normalization for Transformers" (arXiv:2010.04245), with the RMSNorm of arXiv:1910.07467, equation 4,
/// in place of the norm by length.
/// - Parameters:
///   - x: `[rows, groups·size]`, replaced by y
///   - weight: w, `[1, size]`
///   - saved: `[rows, groups·size]`: takes x for the backward pass
///   - reciprocals: `[rows, groups]`, r
package func headNorm(_ x: Operand, weight: Tensor, epsilon: Float, saving saved: Operand, reciprocals: Tensor) {
    switch (x, saved) {
    case (.float32(let x), .float32(let saved)):
        normalize(x, weight.row(0), epsilon, saving: saved, reciprocals)
    case (.bfloat16(let x), .bfloat16(let saved)):
        normalize(x, weight.row(0), epsilon, saving: saved, reciprocals)
    default: preconditionFailure("operands of different precisions")
    }
}

private func normalize<Element: MatrixElement>(
    _ x: Matrix<Element>, _ w: Span<Float>, _ epsilon: Float, saving saved: Matrix<Element>, _ reciprocals: Tensor
) {
    let size = w.count
    for t in 0..<x.rows {
        for group in 0..<reciprocals.columns {
            let columns = group * size..<(group + 1) * size
            var y = unsafe x.unsafeMutableRow(t, columns), kept = unsafe saved.unsafeMutableRow(t, columns)
            kept.update(from: x.row(t, columns))
            let input = saved.row(t, columns), r = 1 / (dot(input, input) / Float(size) + epsilon).squareRoot()
            reciprocals[t, group] = r
            for i in 0..<size { y[i] = Element(rounding: input[i].float * r * w[i]) }
        }
    }
}

/// Backward of `headNorm` to its input: `dx = r·(w·dy − x·r²·mean(w·dy·x))`.
/// - Parameters:
///   - dy: `[rows, groups·size]`, replaced by dx
///   - x: what the forward pass saved
package func headNormBackward(
    replacing dy: Operand, x: Operand, weight: Tensor, reciprocals: Tensor, on workers: ThreadPool
) {
    workers.run(over: dy.rows, tile: rowTile) { rows in
        let r = reciprocals.rows(rows), w = weight.row(0)
        switch (dy.rows(rows), x.rows(rows)) {
        case (.float32(let dy), .float32(let x)): replaceByInputGradient(dy, x, w, r)
        case (.bfloat16(let dy), .bfloat16(let x)): replaceByInputGradient(dy, x, w, r)
        default: preconditionFailure("operands of different precisions")
        }
    }
}

private func replaceByInputGradient<Element: MatrixElement>(
    _ dy: Matrix<Element>, _ x: Matrix<Element>, _ w: Span<Float>, _ reciprocals: Tensor
) {
    let size = w.count
    for t in 0..<dy.rows {
        for group in 0..<reciprocals.columns {
            let columns = group * size..<(group + 1) * size
            let input = x.row(t, columns), r = reciprocals[t, group]
            var gradient = unsafe dy.unsafeMutableRow(t, columns), sum: Float = 0
            for i in 0..<size { sum += gradient[i].float * w[i] * input[i].float }
            let s = sum * r * r * r / Float(size)
            for i in 0..<size { gradient[i] = Element(rounding: gradient[i].float * w[i] * r - input[i].float * s) }
        }
    }
}

/// Backward of `headNorm` to its weight: `dw (+)= Σ_t Σ_group dy·x·r`, in the order of `sumOverTokens`, a token's groups one after
/// the other.
/// - Parameters:
///   - dWeight: `[1, size]`, overwritten, or added to if `adding`
///   - parts: `[≥ partialSumRows(tokens), size]`, scratch
package func headNormWeightGradient(
    _ dy: Operand, x: Operand, reciprocals: Tensor, into dWeight: Tensor, adding: Bool, parts: Tensor,
    on workers: ThreadPool
) {
    switch (dy, x) {
    case (.float32(let dy), .float32(let x)):
        sumWeightGradient(dy, x, reciprocals, into: dWeight, adding: adding, parts: parts, on: workers)
    case (.bfloat16(let dy), .bfloat16(let x)):
        sumWeightGradient(dy, x, reciprocals, into: dWeight, adding: adding, parts: parts, on: workers)
    default: preconditionFailure("operands of different precisions")
    }
}

private func sumWeightGradient<Element: MatrixElement>(
    _ dy: Matrix<Element>, _ x: Matrix<Element>, _ reciprocals: Tensor, into dWeight: Tensor, adding: Bool,
    parts: Tensor, on workers: ThreadPool
) {
    sumOverTokens(dy.rows, into: dWeight, adding: adding, parts: parts, on: workers) { t, sums in
        let size = sums.count
        for group in 0..<reciprocals.columns {
            let columns = group * size..<(group + 1) * size
            let gradient = dy.row(t, columns), input = x.row(t, columns), r = reciprocals[t, group]
            for i in 0..<size { sums[i] += gradient[i].float * input[i].float * r }
        }
    }
}
