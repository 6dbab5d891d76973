import Platform

/// `ln L = ln(A/N^α + B/Ê^β + C/D^γ + F) + d·ln N·ln Ê`
///
/// Yun et al. 2024, "Toward Inference-optimal Mixture-of-Expert Large Language Models" (arXiv:2404.02852), section 3. N is
/// the parameters of the dense model that the experts were added to, which is the active parameters for top-1 routing.
/// The coefficients were not published: this law exists to be fitted.
package struct InferenceLaw: ScalingLaw, Equatable {
    package let a, alpha, b, beta, c, gamma, f, d: Double
    package let saturation: ExpertSaturation
    private let logA, logB, logC, logF: Double

    /// - Parameter p: A, α, B, β, C, γ, F, d, E_start, E_max
    package init(parameters p: [Double]) {
        (a, alpha, b, beta) = (p[0], p[1], p[2], p[3])
        (c, gamma, f, d) = (p[4], p[5], p[6], p[7])
        saturation = ExpertSaturation(start: p[8], maximum: p[9])
        (logA, logB, logC, logF) = (log(a), log(b), log(c), log(f))
    }

    package var parameters: [Double] {
        [a, alpha, b, beta, c, gamma, f, d, saturation.start, saturation.maximum]
    }

    package func terms(at point: ScalePoint, into sheet: inout LawTerms) {
        let e = saturation.logarithm(point.experts)
        let (n, t) = (point.logActive, point.logTokens)
        let shared = d * n * e.value
        sheet.set(0, logA - alpha * n + shared, perLogN: d * e.value - alpha)
        sheet.set(1, logB - beta * e.value + shared, perLogN: d * e.value)
        sheet.set(2, logC - gamma * t + shared, perLogN: d * e.value, perLogD: -gamma)
        sheet.set(3, logF + shared, perLogN: d * e.value)
        for k in 0..<4 {
            sheet[k, 7] = n * e.value
            let perLogE = k == 1 ? d * n - beta : d * n
            sheet[k, 8] = perLogE * e.perLogOffset
            sheet[k, 9] = perLogE * e.perLogMaximum
        }
        (sheet[0, 0], sheet[0, 1]) = (1, -n)
        (sheet[1, 2], sheet[1, 3]) = (1, -e.value)
        (sheet[2, 4], sheet[2, 5]) = (1, -t)
        sheet[3, 6] = 1
    }

    package static let metadata = LawMetadata(
        name: "inference", title: "Inference-optimal MoE law",
        source: "Yun et al. 2024, arXiv:2404.02852, section 3; coefficients not published, fit them",
        formula: "ln L = ln(A/N^α + B/Ê^β + C/D^γ + F) + d·ln N·ln Ê",
        parameters: [
            .init("A", .coefficient(term: 0)), .init("alpha", .plain), .init("B", .coefficient(term: 1)),
            .init("beta", .plain, width: 1.5), .init("C", .coefficient(term: 2)), .init("gamma", .plain),
            .init("F", .coefficient(term: 3)), .init("d", .plain, width: 0.05, bounds: -0.2...0.2),
            .init("E_start", .saturationStart),
            .init("E_max", .positive),
        ],
        terms: 4, size: .active, counting: .decoder,
        domain: FittedDomain(active: 100e6...700e6, tokens: 2.5e9...20e9, experts: 4...32, tokensPerParameter: 400),
        variables: [.tokens, .experts],
        recipe: FitRecipe(
            huber: 0.01,
            grid: [
                [100], [0.1, 0.25, 0.5], [1], [0.1, 0.5, 1], [100], [0.1, 0.25, 0.5], [1], [-0.005, 0, 0.005], [1, 2],
                [100],
            ], heldOut: 0.1),
        // Not published: coefficients in the range of the paper's figures.
        simulation: LawSimulation([120, 0.2, 0.9, 0.6, 300, 0.25, 1.4, 0.001, 1.5, 200], runs: 120))
}
