import Platform
package import Tensors
package import Threading

/// `y_t += g_t·x_t`, `g = σ(z)`: rows that are each multiplied by a gate of their own.
/// - Parameters:
///   - x: `[tokens, dModel]`
///   - z: `[tokens, 1]`, logits in, gates out
///   - y: `[tokens, dModel]`
package func addGated(_ x: Operand, logits z: Tensor, to y: Tensor, on workers: ThreadPool) {
    switch x {
    case .float32(let x): addGated(x, z, y, workers)
    case .bfloat16(let x): addGated(x, z, y, workers)
    }
}

private func addGated<Element: MatrixElement>(
    _ x: Matrix<Element>, _ z: Tensor, _ y: Tensor, _ workers: ThreadPool
) {
    workers.run(over: x.rows, tile: rowTile) { rows in
        for t in rows {
            let gate = 1 / (1 + exponential(-z[t, 0])), source = x.row(t)
            z[t, 0] = gate
            var out = unsafe y.unsafeMutableRow(t)
            for c in 0..<source.count { out[c] += gate * source[c].float }
        }
    }
}

/// Backward of `addGated`: `dx_t = g_t·dy_t`, `dz_t = (dy_t · x_t)·g_t·(1 − g_t)`.
/// - Parameters:
///   - dy: `[tokens, dModel]`
///   - x: `[tokens, dModel]`, what was multiplied
///   - gates: `[tokens, 1]`, as `addGated` left them
///   - dx: `[tokens, dModel]`, overwritten, in the precision of x
///   - dLogits: `[tokens, 1]`, overwritten
package func addGatedBackward(
    _ dy: Tensor, _ x: Operand, gates: Tensor, into dx: Operand, dLogits: Tensor, on workers: ThreadPool
) {
    switch (x, dx) {
    case (.float32(let x), .float32(let dx)): gatedBackward(dy, x, gates: gates, into: dx, dLogits, workers)
    case (.bfloat16(let x), .bfloat16(let dx)): gatedBackward(dy, x, gates: gates, into: dx, dLogits, workers)
    default: preconditionFailure("operands of different precisions")
    }
}

private func gatedBackward<Element: MatrixElement>(
    _ dy: Tensor, _ x: Matrix<Element>, gates: Tensor, into dx: Matrix<Element>, _ dLogits: Tensor,
    _ workers: ThreadPool
) {
    workers.run(over: dy.rows, tile: rowTile) { rows in
        for t in rows {
            let gradient = dy.row(t), gate = gates[t, 0]
            dLogits[t, 0] = dot(gradient, x.row(t)) * gate * (1 - gate)
            var out = unsafe dx.unsafeMutableRow(t)
            for c in 0..<gradient.count { out[c] = Element(rounding: gate * gradient[c]) }
        }
    }
}
