import Diagnostics
import Platform

/// `L = q·(N^−α + k·N_a^−α + h·N_a/N) + a·N^−α + b·D^−β + c·N_a^−α + ε`, `q = e·G + f/G + m·S² + n·S`
///
/// Zhao et al. 2025, "Towards a Comprehensive Scaling Law of Mixture-of-Experts" (arXiv:2509.23678), the coefficients from a
/// work that quotes it. N is all parameters, N_a the active ones, G the experts that work on a token, S the ratio of shared
/// experts among them. n is negative: a few shared experts lower the loss. The law was fitted to mixtures of experts alone.
package struct ComprehensiveLaw: ScalingLaw, Equatable {
    package let e, f, m, n, k, h, a, alpha, b, beta, c, epsilon: Double
    private let logK, logH, logA, logB, logC, logEpsilon: Double

    package static let published = ComprehensiveLaw(parameters: [
        0.1577, 7.2446, 5.1395, -3.2363, 0.0013, 0.0450, 38.051, 0.2383, 27129.05, 0.4694, 31.096, 1.8182,
    ])

    /// - Parameter p: e, f, m, n, k, h, a, α, b, β, c, ε
    package init(parameters p: [Double]) {
        (e, f, m, n, k, h) = (p[0], p[1], p[2], p[3], p[4], p[5])
        (a, alpha, b, beta, c, epsilon) = (p[6], p[7], p[8], p[9], p[10], p[11])
        (logK, logH) = (log(k), log(h))
        (logA, logB, logC, logEpsilon) = (log(a), log(b), log(c), log(epsilon))
    }

    package var parameters: [Double] { [e, f, m, n, k, h, a, alpha, b, beta, c, epsilon] }

    /// Experts that work on a token at the lowest loss, `√(f/e)`, whatever the sizes.
    package var optimalActiveExperts: Double { (f / e).squareRoot() }

    /// The ratio of shared experts at the lowest loss, `−n/2m`, whatever the sizes.
    package var optimalSharedRatio: Double { -n / (2 * m) }

    /// Not finite where `q` is not above zero: coefficients that a descent must not enter.
    package func terms(at point: ScalePoint, into sheet: inout LawTerms) {
        let (total, active, d) = (point.logTotal, point.logActive, point.logTokens)
        let g = point.topK * point.granularity, s = point.sharedRatio
        let q = e * g + f / g + m * s * s + n * s, logQ = log(q)
        sheet.set(0, logQ - alpha * total, perLogN: -alpha)
        sheet.set(1, logQ + logK - alpha * active, perLogN: -alpha)
        sheet.set(2, logQ + logH + active - total)
        for term in 0..<3 {
            sheet[term, 0] = e * g / q
            sheet[term, 1] = f / g / q
            sheet[term, 2] = m * s * s / q
            sheet[term, 3] = s / q
        }
        (sheet[0, 7], sheet[1, 7]) = (-total, -active)
        (sheet[1, 4], sheet[2, 5]) = (1, 1)
        sheet.set(3, logA - alpha * total, perLogN: -alpha)
        (sheet[3, 6], sheet[3, 7]) = (1, -total)
        sheet.set(4, logB - beta * d, perLogD: -beta)
        (sheet[4, 8], sheet[4, 9]) = (1, -d)
        sheet.set(5, logC - alpha * active, perLogN: -alpha)
        (sheet[5, 7], sheet[5, 10]) = (-active, 1)
        sheet.set(6, logEpsilon)
        sheet[6, 11] = 1
    }

    package static let metadata = LawMetadata(
        name: "comprehensive", title: "Comprehensive MoE law",
        source: "Zhao et al. 2025, arXiv:2509.23678; coefficients from a work that quotes it",
        formula: "L = q·(N^−α + k·N_a^−α + h·N_a/N) + a·N^−α + b·D^−β + c·N_a^−α + ε, q = e·G + f/G + m·S² + n·S",
        parameters: [
            .init("e", .factor, bounds: 1e-6...1e4), .init("f", .factor, bounds: 1e-6...1e4),
            .init("m", .factor, bounds: 1e-6...1e4),
            .init("n", .plain, width: 3, bounds: -100...100, isNested: true), .init("k", .coefficient(term: 1)),
            .init("h", .coefficient(term: 2)), .init("a", .coefficient(term: 3)), .init("alpha", .plain),
            .init("b", .coefficient(term: 4)), .init("beta", .plain), .init("c", .coefficient(term: 5)),
            .init("epsilon", .coefficient(term: 6)),
        ],
        terms: 7, size: .totalAndActive, counting: .decoder,
        // The sizes of the 446 runs stand in no source that was read: those of the joint study take their place.
        domain: FittedDomain(active: 79e6...2.7e9, tokens: 0.5e9...80e9, experts: 2...512, tokensPerParameter: 400),
        variables: [.tokens, .experts, .granularity, .topK, .sharedRatio],
        recipe: FitRecipe(
            huber: 1e-3,
            grid: [
                [0.05, 0.5], [1, 8], [2, 8], [-3, 0], [1e-3], [0.05], [30], [0.15, 0.25, 0.4], [1e3], [0.2, 0.35, 0.5],
                [30], [1, 2],
            ], heldOut: 0.1),
        published: [("comprehensive", published.parameters)], describesDense: false,
        simulation: LawSimulation(published.parameters, runs: 160, point: simulatedPoint))

    /// 2 to 64 experts, 1 to 8 times divided, 1 or 2 of them active, up to half of those shared.
    private static let simulatedPoint: @Sendable (RunDraws) -> ScalePoint = { draws in
        let shape = Architecture(
            dModel: draws.width, experts: 2 * draws.powerOfTwo(6), granularity: pow(2, Double(draws.whole(3, 4))),
            topK: Double(1 + draws.whole(4, 2)))
        return Counting.decoder.point(shape, tokens: draws.tokens, sharedRatio: 0.25 * Double(draws.whole(5, 3)))
    }
}

extension ComprehensiveLaw {
    package static var comparisons: [Comparison] { [optima] }

    /// The best `N_a/N` of `total` parameters with the best G and S.
    ///
    /// - Parameter total: N
    package func optimalActiveRatio(total: Double) -> Double {
        let g = optimalActiveExperts, s = optimalSharedRatio
        let ratio = goldenSectionMinimum(log(1e-4), 0) { logRatio in
            loss(
                at: ScalePoint(
                    active: total * exp(logRatio), total: total, tokens: 1e12, experts: g, topK: g, sharedRatio: s))
        }
        return exp(ratio.place)
    }

    private static var optima: Comparison {
        let ratios = [(30e9, 0.401), (671e9, 0.220)].map { total, ratio in
            Comparison.Line(
                label: "N = \(shortCount(total))", quantity: "N_a/N", published: ratio,
                computed: published.optimalActiveRatio(total: total))
        }
        return Comparison(
            title: "Comprehensive law, best choices (arXiv:2509.23678)",
            lines: [
                Comparison.Line(
                    label: "any size", quantity: "G", published: 7, computed: published.optimalActiveExperts),
                Comparison.Line(label: "", quantity: "S", published: 0.31, computed: published.optimalSharedRatio),
            ] + ratios)
    }
}
