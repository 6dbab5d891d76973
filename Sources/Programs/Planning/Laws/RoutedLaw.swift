import Platform

/// `log₁₀ L = a·log₁₀ N + b·log₁₀ Ê + c·log₁₀ N·log₁₀ Ê + d`
///
/// Clark et al. 2022, "Unified Scaling Laws for Routed Language Models" (arXiv:2202.01169), eq. 7; S-BASE routing, the
/// coefficients from works that quote it. N is the active parameters; every run saw 130B tokens, and D is not in the law.
package struct RoutedLaw: ScalingLaw, Equatable {
    package let a, b, c, d: Double
    package let saturation: ExpertSaturation

    package static let published = RoutedLaw(parameters: [-0.082, -0.108, 0.009, 1.104, 1.847, 314.478])
    /// Tokens of every run behind the law.
    private static let tokens = 130e9

    /// - Parameter p: a, b, c, d, E_start, E_max
    package init(parameters p: [Double]) {
        (a, b, c, d) = (p[0], p[1], p[2], p[3])
        saturation = ExpertSaturation(start: p[4], maximum: p[5])
    }

    package var parameters: [Double] { [a, b, c, d, saturation.start, saturation.maximum] }

    package func terms(at point: ScalePoint, into sheet: inout LawTerms) {
        let e = saturation.logarithm(point.experts)
        let ln10 = M_LN10, n = point.logActive
        sheet.set(0, a * n + b * e.value + c * n * e.value / ln10 + d * ln10, perLogN: a + c * e.value / ln10)
        sheet[0, 0] = n
        sheet[0, 1] = e.value
        sheet[0, 2] = n * e.value / ln10
        sheet[0, 3] = ln10
        sheet[0, 4] = (b + c * n / ln10) * e.perLogOffset
        sheet[0, 5] = (b + c * n / ln10) * e.perLogMaximum
    }

    package static let metadata = LawMetadata(
        name: "routed", title: "Routed language models",
        source: "Clark et al. 2022, arXiv:2202.01169, eq. 7; coefficients (S-BASE) from works that quote it",
        formula: "log₁₀ L = a·log₁₀ N + b·log₁₀ Ê + c·log₁₀ N·log₁₀ Ê + d, at 130B tokens",
        parameters: [
            .init("a", .plain, bounds: -3...0), .init("b", .plain, bounds: -3...3),
            .init("c", .plain, width: 0.1, bounds: -0.5...0.5), .init("d", .plain, width: 2, bounds: -10...20),
            .init("E_start", .saturationStart), .init("E_max", .positive),
        ],
        terms: 1, size: .active, counting: .decoder,
        domain: FittedDomain(
            active: 15e6...1.3e9, tokens: tokens...tokens, experts: 1...512, tokensPerParameter: 10000),
        variables: [.experts],
        recipe: FitRecipe(
            huber: 0.01,
            grid: [[-0.2, -0.1, -0.05], [-0.2, -0.1, 0], [-0.01, 0, 0.01], [0.5, 1, 1.5], [1, 2], [100, 500]],
            heldOut: 0.1),
        published: [("routed", published.parameters)],
        simulation: LawSimulation(published.parameters, runs: 80) { draws in
            let shape = Architecture(dModel: draws.width, experts: draws.powerOfTwo(10))
            return Counting.decoder.point(shape, tokens: tokens)
        })
}
