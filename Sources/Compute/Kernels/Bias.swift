package import Tensors
package import Threading

/// `y_t ← y_t + b`, rounded to y's precision, on the calling thread: for rows of a product that was just computed.
/// - Parameters:
///   - y: `[rows, columns]`
///   - bias: b, `[1, columns]`
package func addBias(_ bias: Tensor, to y: Operand) {
    switch y {
    case .float32(let y): add(bias.row(0), to: y)
    case .bfloat16(let y): add(bias.row(0), to: y)
    }
}

private func add<Element: MatrixElement>(_ b: Span<Float>, to y: Matrix<Element>) {
    for t in 0..<y.rows {
        var row = unsafe y.unsafeMutableRow(t)
        for i in 0..<b.count { row[i] = Element(rounding: row[i].float + b[i]) }
    }
}

/// Backward of `addBias`, and of a norm to its bias: `db (+)= Σ_t dy`, in the order of `sumOverTokens`.
/// - Parameters:
///   - dy: `[tokens, columns]`
///   - dBias: `[1, columns]`, overwritten, or added to if `adding`
///   - parts: `[≥ partialSumRows(tokens), columns]`, scratch
package func columnSums(_ dy: Operand, into dBias: Tensor, adding: Bool, parts: Tensor, on workers: ThreadPool) {
    switch dy {
    case .float32(let dy): sumColumns(dy, into: dBias, adding: adding, parts: parts, on: workers)
    case .bfloat16(let dy): sumColumns(dy, into: dBias, adding: adding, parts: parts, on: workers)
    }
}

private func sumColumns<Element: MatrixElement>(
    _ dy: Matrix<Element>, into dBias: Tensor, adding: Bool, parts: Tensor, on workers: ThreadPool
) {
    sumOverTokens(dy.rows, into: dBias, adding: adding, parts: parts, on: workers) { t, sums in
        let row = dy.row(t)
        for i in 0..<row.count { sums[i] += row[i].float }
    }
}
