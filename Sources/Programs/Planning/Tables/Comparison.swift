import Configuration
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
                line.label, line.quantity, significant(line.published, 6), significant(line.computed, 6),
                sign + decimals(100 * abs(line.deviation), 2) + " %",
            ])
        }
        return title + "\n\n" + table.text
    }

    /// Every published table that the laws can be held against.
    package static func all() -> [Comparison] {
        let ofLoss = LawCatalog.forms.filter { $0.metadata.observes == .loss }
        let others = LawCatalog.forms.filter { $0.metadata.observes != .loss }
        return ofLoss.flatMap { $0.comparisons } + [counts, rates] + others.flatMap { $0.comparisons }
    }

    /// Best model for `flops`, E and any of `granularities` by published coefficients.
    static func optimum(
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
}
