package import Tensors
import VectorLoops
package import Workers

/// `a = silu(gate) · up`, `silu(x) = x·σ(x)`. Shazeer, "GLU Variants Improve Transformer" (arXiv:2002.05202), equation 5.
/// - Parameters:
///   - gateUp: `[slots, 2·hidden]`, gate in the first half of the columns, up in the second
///   - a: `[slots, hidden]`, in the same precision
package func swiGLU(_ gateUp: Operand, into a: Operand, on workers: Workers) {
    workers.run(over: a.rows, tile: rowTile) { rows in loops.swiGLU(gateUp.rows(rows), into: a.rows(rows)) }
}

/// Backward of `swiGLU`: `dUp = da·silu(gate)`, `dGate = da·up·σ(gate)·(1 + gate·(1 − σ(gate)))`.
/// - Parameters:
///   - da: `[slots, hidden]`
///   - gateUp: `[slots, 2·hidden]`, in the same precision: its values are replaced by their gradients
package func swiGLUBackward(_ da: Operand, replacing gateUp: Operand, on workers: Workers) {
    workers.run(over: da.rows, tile: rowTile) { rows in
        loops.swiGLUBackward(da.rows(rows), replacing: gateUp.rows(rows))
    }
}
