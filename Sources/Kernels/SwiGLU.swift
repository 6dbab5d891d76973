package import Tensors
package import Workers

/// `a = silu(gate) · up`, `silu(x) = x·σ(x)`. Shazeer, "GLU Variants Improve Transformer" (arXiv:2002.05202), equation 5.
/// - Parameters:
///   - gateUp: `[slots, 2·hidden]`, gate in the first half of the columns, up in the second
///   - a: `[slots, hidden]`
package func swiGLU(_ gateUp: Tensor, into a: Tensor, on workers: Workers) {
    let hidden = a.columns
    workers.run(over: a.rows, tile: rowTile) { rows in
        for t in rows {
            let gate = gateUp.columns(0..<hidden).row(t), up = gateUp.columns(hidden..<2 * hidden).row(t)
            var out = a.mutableRow(t)
            for i in 0..<hidden { out[i] = gate[i] * sigmoid(gate[i]) * up[i] }
        }
    }
}

/// Backward of `swiGLU`: `dUp = da·silu(gate)`, `dGate = da·up·σ(gate)·(1 + gate·(1 − σ(gate)))`.
/// - Parameters:
///   - da: `[slots, hidden]`
///   - gateUp: `[slots, 2·hidden]`: its values are replaced by their gradients
package func swiGLUBackward(_ da: Tensor, replacing gateUp: Tensor, on workers: Workers) {
    let hidden = da.columns
    workers.run(over: da.rows, tile: rowTile) { rows in
        for t in rows {
            let d = da.row(t)
            var gate = gateUp.columns(0..<hidden).mutableRow(t), up = gateUp.columns(hidden..<2 * hidden).mutableRow(t)
            for i in 0..<hidden {
                let g = gate[i], s = sigmoid(g)
                let silu = g * s
                gate[i] = d[i] * up[i] * (s + silu * (1 - s))
                up[i] = d[i] * silu
            }
        }
    }
}
