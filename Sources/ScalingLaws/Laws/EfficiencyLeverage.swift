#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `EL(A, G, C) = Â^(α + γ·(log₂ G)² + β·log₂ G)`, `α = a + d·log₁₀ C`, `1/Â = 1/(A + (1/A_start − 1/A_max)⁻¹) + 1/A_max`
///
/// How much more compute a dense model needs for the loss that an MoE reaches with compute C. Ling team 2025, "Towards
/// Greater Leverage" (arXiv:2507.17702). A is the share of active experts, G = 2·d_model/d_expert, C training FLOPs. The
/// base of the logarithms is inferred from the paper's own example.
package struct EfficiencyLeverage: Sendable, Equatable {
    package let a, d, gamma, beta: Double
    package let activationStart, activationMaximum: Double

    package static let published = EfficiencyLeverage(
        a: 1.23, d: -7.61e-2, gamma: 1.67e-2, beta: -1.17e-1, activationStart: 1.63e-2, activationMaximum: 5.28e16)

    /// `EL` of an MoE with activation ratio `activation` in (0, 1], granularity in the paper's sense, training FLOPs.
    package func leverage(activation: Double, granularity: Double, flops: Double) -> Double {
        let power = exponent(granularity: granularity, flops: flops)
        return exp(power * log(effectiveActivation(activation)))
    }

    /// `∂ ln EL/∂` ln A, ln G, ln C.
    package func slopes(
        activation: Double, granularity: Double, flops: Double
    ) -> (perLogActivation: Double, perLogGranularity: Double, perLogFlops: Double) {
        let effective = effectiveActivation(activation), shifted = activation + offset
        let logEffective = log(effective)
        return (
            exponent(granularity: granularity, flops: flops) * effective * activation / (shifted * shifted),
            logEffective * (2 * gamma * log2(granularity) + beta) / M_LN2,
            logEffective * d / M_LN10
        )
    }

    private var offset: Double { 1 / (1 / activationStart - 1 / activationMaximum) }

    private func effectiveActivation(_ activation: Double) -> Double {
        1 / (1 / (activation + offset) + 1 / activationMaximum)
    }

    private func exponent(granularity: Double, flops: Double) -> Double {
        let g = log2(granularity)
        return a + d * log10(flops) + gamma * g * g + beta * g
    }
}
