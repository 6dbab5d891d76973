import Platform

/// `L(N, D) = E + A/N^α + B/D^β`
///
/// Hoffmann et al. 2022 (arXiv:2203.15556), eq. 2; refit by Besiroglu et al. 2024 (arXiv:2404.10102). E is the loss that
/// no size removes, not a number of experts.
package struct ChinchillaLaw: ScalingLaw, Equatable {
    package let e, a, b, alpha, beta: Double
    private let logE, logA, logB: Double

    /// Hoffmann et al.'s third approach.
    package static let published = ChinchillaLaw(parameters: [1.69, 406.4, 410.7, 0.34, 0.28])
    /// Besiroglu et al.'s refit of the same runs.
    package static let refitted = ChinchillaLaw(parameters: [1.8172, 482.01, 2085.43, 0.3478, 0.3658])
    /// The dense baseline of Krajewski et al. 2024 (arXiv:2402.07871), N without embedding and head.
    package static let fineGrainedBaseline = ChinchillaLaw(parameters: [0.47, 16.3, 26.7, 0.126, 0.127])

    /// - Parameter p: E, A, B, α, β
    package init(parameters p: [Double]) {
        (e, a, b, alpha, beta) = (p[0], p[1], p[2], p[3], p[4])
        (logE, logA, logB) = (log(e), log(a), log(b))
    }

    package var parameters: [Double] { [e, a, b, alpha, beta] }

    package func terms(at point: ScalePoint, into sheet: inout LawTerms) {
        let (n, d) = (point.logActive, point.logTokens)
        sheet.set(0, logE)
        sheet[0, 0] = 1
        sheet.set(1, logA - alpha * n, perLogN: -alpha)
        sheet[1, 1] = 1
        sheet[1, 3] = -n
        sheet.set(2, logB - beta * d, perLogD: -beta)
        sheet[2, 2] = 1
        sheet[2, 4] = -d
    }

    package static let metadata = LawMetadata(
        name: "chinchilla", title: "Chinchilla",
        source: "Hoffmann et al. 2022, arXiv:2203.15556, eq. 2; Besiroglu et al. 2024, arXiv:2404.10102",
        formula: "L = E + A/N^α + B/D^β",
        parameters: [
            .init("E", .coefficient(term: 0)), .init("A", .coefficient(term: 1)), .init("B", .coefficient(term: 2)),
            .init("alpha", .plain), .init("beta", .plain),
        ],
        terms: 3, size: .active, counting: .decoder,
        domain: FittedDomain(active: 44e6...16e9, tokens: 1e9...500e9, experts: 1...1, tokensPerParameter: 400),
        variables: [.tokens],
        recipe: FitRecipe(
            huber: 1e-3,
            grid: [
                [-1, -0.5, 0, 0.5, 1].map(exp), [0, 5, 10, 15, 20, 25].map(exp), [0, 5, 10, 15, 20, 25].map(exp),
                [0, 0.5, 1, 1.5, 2], [0, 0.5, 1, 1.5, 2],
            ], heldOut: 0.1),
        published: [("chinchilla", published.parameters), ("chinchilla-refit", refitted.parameters)],
        simulation: LawSimulation(refitted.parameters, runs: 100) { draws in
            let size = draws.logarithmic(0, 44e6, 16e9)
            return ScalePoint(active: size, total: size, tokens: draws.logarithmic(1, 1e9, 300e9))
        })
}
