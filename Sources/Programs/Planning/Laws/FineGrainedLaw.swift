import Diagnostics
import Platform

/// `L(N, D, G) = c + (g/G^γ + a)/N^α + b/D^β`
///
/// Krajewski et al. 2024, "Scaling Laws for Fine-Grained Mixture of Experts" (arXiv:2402.07871), eq. 8 and Table 1. N is
/// all parameters without embedding, head and router; G the granularity. Fitted for one expansion rate E.
package struct FineGrainedLaw: ScalingLaw, Equatable {
    package let a, alpha, b, beta, g, gamma, c: Double
    private let logA, logB, logG, logC: Double

    /// The paper's fit for E = 64.
    package static let published = FineGrainedLaw(parameters: [18.1, 0.115, 30.8, 0.147, 2.1, 0.58, 0.47])

    /// - Parameter p: a, α, b, β, g, γ, c
    package init(parameters p: [Double]) {
        (a, alpha, b, beta, g, gamma, c) = (p[0], p[1], p[2], p[3], p[4], p[5], p[6])
        (logA, logB, logG, logC) = (log(a), log(b), log(g), log(c))
    }

    package var parameters: [Double] { [a, alpha, b, beta, g, gamma, c] }

    package func terms(at point: ScalePoint, into sheet: inout LawTerms) {
        let (n, d, logGranularity) = (point.logBody, point.logTokens, log(point.granularity))
        sheet.set(0, logA - alpha * n, perLogN: -alpha)
        sheet[0, 0] = 1
        sheet[0, 1] = -n
        sheet.set(1, logB - beta * d, perLogD: -beta)
        sheet[1, 2] = 1
        sheet[1, 3] = -d
        sheet.set(2, logG - gamma * logGranularity - alpha * n, perLogN: -alpha)
        sheet[2, 1] = -n
        sheet[2, 4] = 1
        sheet[2, 5] = -logGranularity
        sheet.set(3, logC)
        sheet[3, 6] = 1
    }

    package static let metadata = LawMetadata(
        name: "fine-grained", title: "Fine-grained MoE law",
        source: "Krajewski et al. 2024, arXiv:2402.07871, eq. 8 and Table 1",
        formula: "L = c + (g/G^γ + a)/N^α + b/D^β",
        parameters: [
            .init("a", .coefficient(term: 0)), .init("alpha", .plain), .init("b", .coefficient(term: 1)),
            .init("beta", .plain), .init("g", .coefficient(term: 2)), .init("gamma", .plain, width: 1.5),
            .init("c", .coefficient(term: 3)),
        ],
        terms: 4, size: .totalWithoutEmbedding, counting: .fineGrained,
        domain: FittedDomain(active: 3e6...86e6, tokens: 16e9...130e9, experts: 64...64, tokensPerParameter: 1000),
        variables: [.tokens, .granularity],
        recipe: FitRecipe(
            huber: 0.1,
            grid: [
                [1, 10, 100], [0.05, 0.1, 0.25, 0.5], [1, 10, 100], [0.05, 0.1, 0.25, 0.5], [1, 10],
                [0.1, 0.5, 1], [0.5, 1, 2],
            ], heldOut: 0.1),
        published: [("fine-grained", published.parameters)], describesDense: false,
        denseBaseline: ChinchillaLaw.fineGrainedBaseline,
        simulation: LawSimulation(published.parameters, runs: 100) { draws in
            let shape = Architecture(dModel: draws.width, experts: 64, granularity: draws.powerOfTwo(6))
            return Counting.fineGrained.point(shape, tokens: draws.tokens)
        })
}

extension FineGrainedLaw {
    package static var comparisons: [Comparison] { [optima] }

    private static var optima: Comparison {
        let lines = PublishedTables.fineGrained.flatMap { row -> [Comparison.Line] in
            let powers = (0...8).map { pow(2, Double($0)) }
            guard
                let best = Comparison.optimum(published, flops: row.flops, experts: 64, granularities: powers)
            else { return [] }
            let shape = Architecture(dModel: row.dModel, experts: 64, granularity: row.granularity)
            let flops = Counting.fineGrained.trainingFLOPsPerToken(shape) * row.tokens
            return [
                Comparison.Line(
                    label: "64 × \(shortCount(row.dense))", quantity: "G", published: row.granularity,
                    computed: best.granularity),
                Comparison.Line(
                    label: "", quantity: "D/1e9", published: row.tokens / 1e9, computed: best.sizing.tokens / 1e9),
                Comparison.Line(label: "", quantity: "F/1e18", published: row.flops / 1e18, computed: flops / 1e18),
            ]
        }
        return Comparison(title: "Fine-grained law, compute-optimal, E = 64 (arXiv:2402.07871, Table 2)", lines: lines)
    }
}
