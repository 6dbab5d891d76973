import KernelLoops
package import Tensors

/// `a = silu(gate) · up`, `silu(x) = x·σ(x)`. Shazeer, "GLU Variants Improve Transformer" (arXiv:2002.05202), equation 5.
/// On the calling thread, as its backward pass: rows of a product that was just computed.
/// - Parameters:
///   - gateUp: `[slots, 2·hidden]`, gate in the first half of the columns, up in the second
///   - a: `[slots, hidden]`, in the same precision
package func swiGLU(_ gateUp: Operand, into a: Operand) { kernelLoops.swiGLU(gateUp, into: a) }

/// Backward of `swiGLU`: `dUp = da·silu(gate)`, `dGate = da·up·σ(gate)·(1 + gate·(1 − σ(gate)))`.
/// - Parameters:
///   - da: `[slots, hidden]`
///   - gateUp: `[slots, 2·hidden]`, in the same precision: its values are replaced by their gradients
package func swiGLUBackward(_ da: Operand, replacing gateUp: Operand) {
    kernelLoops.swiGLUBackward(da, replacing: gateUp)
}
