import Diagnostics
import Platform

/// A published table beside the same values from the law.
package struct Comparison: Sendable {
    package struct Line: Sendable {
        package let label: String
        package let quantity: String
        package let published, computed: Double

        /// `computed/published − 1`
        package var deviation: Double { computed / published - 1 }
    }

    package let title: String
    package let lines: [Line]

    package var text: String {
        var table = TextTable(["", "", "published", "from the law", "deviation"])
        for line in lines {
            let sign = line.deviation < 0 ? "-" : "+"
            table.add([
                line.label, line.quantity, Quantity.digits(line.published, 6), Quantity.digits(line.computed, 6),
                sign + Quantity.decimals(100 * abs(line.deviation), 2) + " %",
            ])
        }
        return title + "\n\n" + table.text
    }

    /// Every published table that the laws can be held against.
    package static func all() -> [Comparison] {
        [jointOptima, jointShapes, fineGrained, counts, rates, leverage]
    }

    /// Best model for `flops`, E and any of `granularities` by published coefficients.
    private static func optimum(
        _ law: any ScalingLaw, flops: Double, experts: Double, granularities: [Double] = [1]
    ) -> (sizing: Sizing, granularity: Double)? {
        var request = PlanRequest(experts: [experts])
        request.flops = flops
        let found = granularities.compactMap { granularity -> (sizing: Sizing, granularity: Double)? in
            let candidate = Candidate(
                law: law, counting: type(of: law).metadata.counting, request: request, experts: experts,
                granularity: granularity, topK: 1)
            return candidate.optimum().map { (Sizing(candidate, dModel: $0), granularity) }
        }
        return found.min { $0.sizing.loss < $1.sizing.loss }
    }

    private static var jointOptima: Comparison {
        let lines = PublishedTables.joint.flatMap { row -> [Line] in
            guard let best = optimum(JointLaw.published, flops: row.flops, experts: row.experts)?.sizing else {
                return []
            }
            let label = "\(Quantity.scientific(row.flops)) FLOPs, E = \(Int(row.experts))"
            return [
                Line(
                    label: label, quantity: "N_act/1e9", published: row.active / 1e9,
                    computed: best.activeParameters / 1e9),
                Line(label: "", quantity: "D/1e9", published: row.tokens / 1e9, computed: best.tokens / 1e9),
            ]
        }
        return Comparison(title: "Joint law, compute-optimal sizes (arXiv:2502.05172, Table 1)", lines: lines)
    }

    private static var jointShapes: Comparison {
        let lines = PublishedTables.jointByExperts.flatMap { row -> [Line] in
            let form = JointLaw.published.chinchillaForm(experts: row.experts)
            return [
                Line(label: "E = \(Int(row.experts))", quantity: "m", published: row.m, computed: form.m),
                Line(label: "", quantity: "mu", published: row.mu, computed: form.mu),
                Line(label: "", quantity: "n", published: row.n, computed: form.n),
                Line(label: "", quantity: "nu", published: row.nu, computed: form.nu),
            ]
        }
        return Comparison(title: "Joint law for one E, m·N^μ + n·D^ν + c (arXiv:2502.05172, Table 4)", lines: lines)
    }

    private static var fineGrained: Comparison {
        let lines = PublishedTables.fineGrained.flatMap { row -> [Line] in
            let powers = (0...8).map { pow(2, Double($0)) }
            guard
                let best = optimum(FineGrainedLaw.published, flops: row.flops, experts: 64, granularities: powers)
            else { return [] }
            let shape = Architecture(dModel: row.dModel, experts: 64, granularity: row.granularity)
            let flops = Counting.fineGrained.trainingFLOPsPerToken(shape) * row.tokens
            return [
                Line(
                    label: "64 × \(Quantity.count(row.dense))", quantity: "G", published: row.granularity,
                    computed: best.granularity),
                Line(label: "", quantity: "D/1e9", published: row.tokens / 1e9, computed: best.sizing.tokens / 1e9),
                Line(label: "", quantity: "F/1e18", published: row.flops / 1e18, computed: flops / 1e18),
            ]
        }
        return Comparison(title: "Fine-grained law, compute-optimal, E = 64 (arXiv:2402.07871, Table 2)", lines: lines)
    }

    private static var counts: Comparison {
        let lines = PublishedTables.counts.flatMap { row -> [Line] in
            let point = Counting.decoder.point(Architecture(dModel: row.dModel, experts: row.experts), tokens: 1)
            return [
                Line(
                    label: "d \(Int(row.dModel)), E = \(Int(row.experts))", quantity: "N_total/1e9",
                    published: row.total / 1e9, computed: point.total / 1e9),
                Line(label: "", quantity: "N_act/1e9", published: row.active / 1e9, computed: point.active / 1e9),
            ]
        }
        return Comparison(
            title: "Parameter counts (arXiv:2502.05172, appendix; printed with two or three digits)", lines: lines)
    }

    private static var rates: Comparison {
        let lines = PublishedTables.rates.map { row in
            let shape = Architecture(dModel: row.dModel, experts: row.experts)
            let rate = peakLearningRate(active: Counting.decoder.activeParameters(shape), experts: row.experts)
            return Line(
                label: "d \(Int(row.dModel)), E = \(Int(row.experts))", quantity: "LR", published: row.rate,
                computed: rate)
        }
        return Comparison(title: "Peak learning rate (arXiv:2502.05172, eq. 10)", lines: lines)
    }

    private static var leverage: Comparison {
        let value = EfficiencyLeverage.published.leverage(activation: 0.031, granularity: 12, flops: 1e22)
        return Comparison(
            title: "Efficiency leverage (arXiv:2507.17702, which claims more than 7)",
            lines: [Line(label: "A = 3.1 %, G = 12, C = 1e22", quantity: "EL", published: 7, computed: value)])
    }
}
