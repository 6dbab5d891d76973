import Platform

/// `EL(A, G, C) = Â^(α + γ·(log₂ G)² + β·log₂ G)`, `α = a + d·log₁₀ C`, `1/Â = 1/(A + (1/A_start − 1/A_max)⁻¹) + 1/A_max`
///
/// How much more compute a dense model needs for the loss that an MoE reaches with compute C. Ling team 2025, "Towards
/// Greater Leverage" (arXiv:2507.17702). A = K/E is the share of active experts, G = 2·d_model/d_expert, C training FLOPs.
/// The bases of the logarithms are inferred from the paper's own example. A law of one term, whose "loss" is EL.
package struct EfficiencyLeverage: ScalingLaw, Equatable {
    package let a, d, gamma, beta: Double
    /// Â: the same curve as Clark's Ê, in A instead of E − 1.
    package let saturation: ExpertSaturation

    package static let published = EfficiencyLeverage(parameters: [1.23, -7.61e-2, 1.67e-2, -1.17e-1, 1.63e-2, 5.28e16])

    /// - Parameter p: a, d, γ, β, A_start, A_max
    package init(parameters p: [Double]) {
        (a, d, gamma, beta) = (p[0], p[1], p[2], p[3])
        saturation = ExpertSaturation(start: p[4], maximum: p[5])
    }

    package var parameters: [Double] { [a, d, gamma, beta, saturation.start, saturation.maximum] }

    /// `EL` of an MoE with activation ratio `activation` in (0, 1], granularity in the paper's sense, training FLOPs.
    package func leverage(activation: Double, granularity: Double, flops: Double) -> Double {
        loss(
            at: ScalePoint(
                active: 1, total: 1, tokens: 1, experts: 1 / activation, granularity: granularity, flops: flops))
    }

    package func terms(at point: ScalePoint, into sheet: inout LawTerms) {
        let effective = saturation.logarithm(point.topK / point.experts + 1)
        let g = log2(point.granularity), logC = log10(point.flops)
        let power = a + d * logC + gamma * g * g + beta * g
        let perLogC = d * effective.value / M_LN10
        sheet.set(0, power * effective.value, perLogN: perLogC, perLogD: perLogC)
        sheet[0, 0] = effective.value
        sheet[0, 1] = logC * effective.value
        sheet[0, 2] = g * g * effective.value
        sheet[0, 3] = g * effective.value
        sheet[0, 4] = power * effective.perLogOffset
        sheet[0, 5] = power * effective.perLogMaximum
    }

    package static let metadata = LawMetadata(
        name: "leverage", title: "Efficiency leverage",
        source: "Ling team 2025, arXiv:2507.17702",
        formula: "EL = Â^(a + d·log₁₀ C + γ·(log₂ G)² + β·log₂ G)",
        parameters: [
            .init("a", .plain, width: 2, bounds: -10...10), .init("d", .plain, width: 0.1, bounds: -2...2),
            .init("gamma", .plain, width: 0.1, bounds: -1...1),
            .init("beta", .plain, bounds: -3...3),
            .init("A_start", .saturationStart, bounds: 1e-6...1e2), .init("A_max", .positive, bounds: 0.02...1e19),
        ],
        terms: 1, size: nil, counting: .decoder,
        domain: FittedDomain(active: 1e7...1e9, tokens: 1e9...1e12, experts: 1...256, tokensPerParameter: 1e4),
        variables: [.experts, .granularity, .topK, .flops],
        recipe: FitRecipe(
            huber: 0.01,
            grid: [[0, 1, 2], [-0.1, -0.05, 0], [0, 0.05], [-0.2, 0], [0.01, 0.05], [10, 1e4]], heldOut: 0.1),
        observes: .leverage,
        // The published A_max, 5e16, is past what a fit can tell from infinity.
        simulation: LawSimulation([1.23, -7.61e-2, 1.67e-2, -1.17e-1, 1.63e-2, 40], runs: 80) { draws in
            ScalePoint(
                active: 1, total: 1, tokens: 1, experts: 2 * draws.powerOfTwo(8),
                granularity: pow(2, Double(1 + draws.whole(3, 4))), flops: draws.logarithmic(0, 1e18, 1e22))
        })
}

extension EfficiencyLeverage {
    package static var comparisons: [Comparison] { [example] }

    private static var example: Comparison {
        let value = published.leverage(activation: 0.031, granularity: 12, flops: 1e22)
        return Comparison(
            title: "Efficiency leverage (arXiv:2507.17702, which claims more than 7)",
            lines: [
                Comparison.Line(label: "A = 3.1 %, G = 12, C = 1e22", quantity: "EL", published: 7, computed: value)
            ])
    }
}
