/// What a feed-forward computes between its two products: experts, shared experts and dense layers alike.
package enum Activation: String, CaseIterable, Sendable {
    /// `silu(x·W_gate) ⊙ (x·W_up)`. Shazeer, "GLU Variants Improve Transformer" (arXiv:2002.05202), equation 6.
    case swiglu
    /// `gelu(x·W_gate) ⊙ (x·W_up)`. The same, equation 6.
    case geglu
    /// `gelu(x·W_up)`. Hendrycks & Gimpel, "Gaussian Error Linear Units" (arXiv:1606.08415), section 2, with tanh.
    case gelu
    /// `max(0, x·W_up)²`. So et al., "Primer" (arXiv:2109.08668), section 3.1.
    case relu2

    /// Whether there is a gate beside the projection that it multiplies.
    package var isGated: Bool { self == .swiglu || self == .geglu }
    /// Columns of the first product for each hidden unit.
    package var inputWidth: Int { isGated ? 2 : 1 }
}
