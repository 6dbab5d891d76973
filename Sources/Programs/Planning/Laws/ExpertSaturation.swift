import Platform

/// `1/Ê = 1/(E − 1 + (1/E_start − 1/E_max)⁻¹) + 1/E_max`: the effect of E experts, from E_start at E = 1 to E_max.
///
/// Clark et al. 2022 (arXiv:2202.01169), section 4.3; Ludziejewski et al. 2025 (arXiv:2502.05172), eq. 5.
/// In coordinates `s` with `1/s = 1/E_start − 1/E_max` and `E_max`, both positive and otherwise free.
package struct ExpertSaturation: Sendable, Equatable {
    package let start, maximum: Double
    private let offset: Double

    package init(start: Double, maximum: Double) {
        self.start = start
        self.maximum = maximum
        offset = 1 / (1 / start - 1 / maximum)
    }

    /// Ê(E)
    package func effective(_ experts: Double) -> Double { 1 / (1 / (experts - 1 + offset) + 1 / maximum) }

    /// `ln Ê`, `∂ ln Ê/∂ ln s`, `∂ ln Ê/∂ ln E_max`.
    func logarithm(_ experts: Double) -> (value: Double, perLogOffset: Double, perLogMaximum: Double) {
        let shifted = experts - 1 + offset
        let effective = 1 / (1 / shifted + 1 / maximum)
        return (log(effective), effective * offset / (shifted * shifted), effective / maximum)
    }
}
