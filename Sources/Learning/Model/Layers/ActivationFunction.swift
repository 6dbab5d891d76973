package import Configuration
import Kernels
package import Tensors

extension Activation {
    /// Computes the hidden layer of some rows, on the calling thread.
    /// - Parameters:
    ///   - projected: `[rows, inputWidth·hidden]`: gate | up, or up alone
    ///   - hidden: `[rows, hidden]`, overwritten
    package func forward(_ projected: Operand, into hidden: Operand) {
        switch self {
        case .swiglu: swiGLU(projected, into: hidden)
        case .geglu: geGLU(projected, into: hidden)
        case .gelu: Kernels.gelu(projected, into: hidden)
        case .relu2: squaredReLU(projected, into: hidden)
        }
    }

    /// Replaces what was projected by its gradient.
    /// - Parameter dHidden: `[rows, hidden]`
    package func backward(_ dHidden: Operand, replacing projected: Operand) {
        switch self {
        case .swiglu: swiGLUBackward(dHidden, replacing: projected)
        case .geglu: geGLUBackward(dHidden, replacing: projected)
        case .gelu: geluBackward(dHidden, replacing: projected)
        case .relu2: squaredReLUBackward(dHidden, replacing: projected)
        }
    }

    /// The name of the first matrix.
    var inputName: String { isGated ? "gate_up" : "up" }
}
