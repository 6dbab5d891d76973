import KernelLoops
package import Tensors

// On the calling thread, as swiGLU: rows of a product that was just computed.

/// `a = gelu(gate)·up`, `gelu(x) = x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2`. Shazeer (arXiv:2002.05202), equation 6; Hendrycks
/// & Gimpel (arXiv:1606.08415), section 2.
/// - Parameters:
///   - gateUp: `[slots, 2·hidden]`, gate in the first half of the columns, up in the second
///   - a: `[slots, hidden]`, in the same precision
package func geGLU(_ gateUp: Operand, into a: Operand) { kernelLoops.geGLU(gateUp, into: a) }

/// Backward of `geGLU`: `dUp = da·gelu(gate)`, `dGate = da·up·gelu'(gate)`.
/// - Parameters:
///   - da: `[slots, hidden]`
///   - gateUp: `[slots, 2·hidden]`, in the same precision: its values are replaced by their gradients
package func geGLUBackward(_ da: Operand, replacing gateUp: Operand) {
    kernelLoops.geGLUBackward(da, replacing: gateUp)
}

/// `a = gelu(x)`.
/// - Parameters:
///   - x, a: `[slots, hidden]`, in the same precision
package func gelu(_ x: Operand, into a: Operand) { kernelLoops.gelu(x, into: a) }

/// Backward of `gelu`: `dx = da·gelu'(x)`, in the place of x.
package func geluBackward(_ da: Operand, replacing x: Operand) { kernelLoops.geluBackward(da, replacing: x) }

/// `a = max(0, x)²`. So et al., "Primer" (arXiv:2109.08668), section 3.1.
/// - Parameters:
///   - x, a: `[slots, hidden]`, in the same precision
package func squaredReLU(_ x: Operand, into a: Operand) { kernelLoops.squaredReLU(x, into: a) }

/// Backward of `squaredReLU`: `dx = da·2·max(0, x)`, in the place of x.
package func squaredReLUBackward(_ da: Operand, replacing x: Operand) {
    kernelLoops.squaredReLUBackward(da, replacing: x)
}
