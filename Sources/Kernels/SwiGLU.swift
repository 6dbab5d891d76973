package import Tensors
package import Workers

/// `a = silu(gate) · up`, `silu(x) = x·σ(x)`. Shazeer, "GLU Variants Improve Transformer" (arXiv:2002.05202), equation 5.
/// - Parameters:
///   - gateUp: `[slots, 2·hidden]`, gate in the first half of the columns, up in the second
///   - a: `[slots, hidden]`, in the same precision
package func swiGLU(_ gateUp: Operand, into a: Operand, on workers: Workers) {
    switch (gateUp, a) {
    case (.float32(let gateUp), .float32(let a)): swiGLU(gateUp, into: a, on: workers)
    case (.bfloat16(let gateUp), .bfloat16(let a)): swiGLU(gateUp, into: a, on: workers)
    default: preconditionFailure("operands of different precisions")
    }
}

private func swiGLU<Element: KernelElement>(
    _ gateUp: Matrix<Element>, into a: Matrix<Element>, on workers: Workers
) {
    let hidden = a.columns
    workers.run(over: a.rows, tile: rowTile) { rows in
        for t in rows {
            let gate = gateUp.row(t, 0..<hidden), up = gateUp.row(t, hidden..<2 * hidden)
            var out = a.mutableRow(t)
            for i in 0..<hidden {
                let g = gate[i].value
                out[i] = Element(storing: g * sigmoid(g) * up[i].value)
            }
        }
    }
}

/// Backward of `swiGLU`: `dUp = da·silu(gate)`, `dGate = da·up·σ(gate)·(1 + gate·(1 − σ(gate)))`.
/// - Parameters:
///   - da: `[slots, hidden]`
///   - gateUp: `[slots, 2·hidden]`, in the same precision: its values are replaced by their gradients
package func swiGLUBackward(_ da: Operand, replacing gateUp: Operand, on workers: Workers) {
    switch (da, gateUp) {
    case (.float32(let da), .float32(let gateUp)): swiGLUBackward(da, replacing: gateUp, on: workers)
    case (.bfloat16(let da), .bfloat16(let gateUp)): swiGLUBackward(da, replacing: gateUp, on: workers)
    default: preconditionFailure("operands of different precisions")
    }
}

private func swiGLUBackward<Element: KernelElement>(
    _ da: Matrix<Element>, replacing gateUp: Matrix<Element>, on workers: Workers
) {
    let hidden = da.columns
    workers.run(over: da.rows, tile: rowTile) { rows in
        for t in rows {
            let d = da.row(t)
            var gate = gateUp.mutableRow(t, 0..<hidden), up = gateUp.mutableRow(t, hidden..<2 * hidden)
            for i in 0..<hidden {
                let g = gate[i].value, u = up[i].value, di = d[i].value
                let s = sigmoid(g)
                let silu = g * s
                gate[i] = Element(storing: di * u * (s + silu * (1 - s)))
                up[i] = Element(storing: di * silu)
            }
        }
    }
}
