import Platform

/// What a fit minimizes, apart from law and runs.
package struct FitObjective: Sendable, Equatable {
    /// δ of the Huber loss
    package var huber: Double
    package var weighting = RunWeighting.equal
    /// λ of `½·λ·Σ_j θ_j²`, θ being the logarithms of coefficients and the exponents themselves.
    package var decay = 0.0

    package init(huber: Double) { self.huber = huber }
}

/// How much a run counts in a fit.
package enum RunWeighting: String, Sendable, Codable, CaseIterable {
    /// All runs alike.
    case equal
    /// In inverse proportion to its loss, with a mean of one: `w_i = n·L_i⁻¹/Σ_k L_k⁻¹`.
    ///
    /// Ludziejewski et al. 2025 (arXiv:2502.05172) weight runs down by their loss, in place of leaving poor runs out.
    case loss

    func weights(of losses: [Double]) -> [Double] {
        switch self {
        case .equal: return Array(repeating: 1, count: losses.count)
        case .loss:
            let mean = losses.reduce(0) { $0 + 1 / $1 } / Double(max(1, losses.count))
            return losses.map { 1 / ($0 * mean) }
        }
    }
}
