import Platform

/// `L(N, D, S) = a/N^α + b/D^β + c/(1−S)^λ + d/((1−S)^δ·N^γ) + e`, `S = (E − K)/E`
///
/// Abnar et al. 2025, "Parameters vs FLOPs" (arXiv:2501.12370). N is all parameters. The coefficients are taken from
/// works that quote the paper. λ is negative: the third term falls as S rises.
package struct SparsityLaw: ScalingLaw, Equatable {
    package let a, alpha, b, beta, c, lambda, d, delta, gamma, e: Double
    private let logA, logB, logC, logD, logE: Double

    package static let published = SparsityLaw(parameters: [
        16612.50, 0.5962, 5455.67, 0.3954, 0.4598, -0.1666, 17.26, 0.1603, 0.1595, 0.94,
    ])

    /// - Parameter p: a, α, b, β, c, λ, d, δ, γ, e
    package init(parameters p: [Double]) {
        (a, alpha, b, beta, c) = (p[0], p[1], p[2], p[3], p[4])
        (lambda, d, delta, gamma, e) = (p[5], p[6], p[7], p[8], p[9])
        (logA, logB, logC, logD, logE) = (log(a), log(b), log(c), log(d), log(e))
    }

    package var parameters: [Double] { [a, alpha, b, beta, c, lambda, d, delta, gamma, e] }

    package func terms(at point: ScalePoint, into sheet: inout LawTerms) {
        let (n, t, working) = (point.logTotal, point.logTokens, log(1 - point.sparsity))
        sheet.set(0, logA - alpha * n, perLogN: -alpha)
        sheet[0, 0] = 1
        sheet[0, 1] = -n
        sheet.set(1, logB - beta * t, perLogD: -beta)
        sheet[1, 2] = 1
        sheet[1, 3] = -t
        sheet.set(2, logC - lambda * working)
        sheet[2, 4] = 1
        sheet[2, 5] = -working
        sheet.set(3, logD - delta * working - gamma * n, perLogN: -gamma)
        sheet[3, 6] = 1
        sheet[3, 7] = -working
        sheet[3, 8] = -n
        sheet.set(4, logE)
        sheet[4, 9] = 1
    }

    package static let metadata = LawMetadata(
        name: "sparsity", title: "Sparsity law",
        source: "Abnar et al. 2025, arXiv:2501.12370; coefficients from works that quote it",
        formula: "L = a/N^α + b/D^β + c/(1−S)^λ + d/((1−S)^δ·N^γ) + e",
        parameters: [
            .init("a", .coefficient(term: 0)), .init("alpha", .plain), .init("b", .coefficient(term: 1)),
            .init("beta", .plain), .init("c", .coefficient(term: 2)), .init("lambda", .plain, bounds: -3...3),
            .init("d", .coefficient(term: 3)), .init("delta", .plain, bounds: -3...3), .init("gamma", .plain),
            .init("e", .coefficient(term: 4)),
        ],
        terms: 5, size: .total, counting: .decoder,
        domain: FittedDomain(active: 20e6...10e9, tokens: 1e9...300e9, experts: 1...128, tokensPerParameter: 400),
        variables: [.tokens, .experts, .topK],
        recipe: FitRecipe(
            huber: 1e-3,
            grid: [
                [1e3], [0.25, 0.5, 0.75], [1e3], [0.25, 0.5, 0.75], [0.5], [-0.4, -0.15, 0.15], [10],
                [0.05, 0.25, 0.5], [0.05, 0.2, 0.4], [0.5, 1, 2],
            ], heldOut: 0.1),
        published: [("sparsity", published.parameters)],
        simulation: LawSimulation(published.parameters, runs: 120) { draws in
            let shape = Architecture(dModel: draws.width, experts: draws.powerOfTwo(8))
            return Counting.decoder.point(shape, tokens: draws.tokens)
        })
}
