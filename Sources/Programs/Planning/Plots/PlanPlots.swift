package import Charts
package import Diagnostics
import Platform

extension Plan {
    /// The plan's comparisons as drawings.
    ///
    /// - Throws: a `Failure` if the plan has no compute budget to draw around
    package func plots() throws(Failure) -> [Plot] {
        guard let flops = request.flops else {
            throw Failure(.usage, "the plots are drawn around a compute budget", advice: "give --flops with --plots")
        }
        guard law.metadata.variables.contains(.tokens) else {
            throw Failure(
                .usage, "the law `\(law.name)` does not see tokens, and every plot trades them against parameters",
                advice: "use another --law with --plots")
        }
        var plots = [
            Plot(name: "isoflop", isoflop(flops)), Plot(name: "loss-at-memory", lossAtMemory(flops)),
            Plot(name: "over-training", overTraining()), Plot(name: "frontier", frontier(flops)),
        ]
        if law.dense != nil { plots.append(Plot(name: "compute-saved", computeSaved(flops))) }
        return plots
    }

    /// The best (G, K) of every E, in ascending E, without any limit but the budget.
    var freeCandidates: [Candidate] {
        var best: [Double: PlanEntry] = [:]
        for entry in entries where best[entry.experts] == nil { best[entry.experts] = entry }
        return best.values.sorted { $0.experts < $1.experts }.map { entry in
            candidate(experts: entry.experts, granularity: entry.granularity, topK: entry.topK) { _ in }
        }
    }

    func candidate(
        experts: Double, granularity: Double, topK: Double, _ change: (inout PlanRequest) -> Void
    ) -> Candidate {
        var free = PlanRequest(experts: [experts])
        free.flops = request.flops
        (free.vocabularySize, free.context) = (request.vocabularySize, request.context)
        free.countsLikeTrainer = request.countsLikeTrainer
        change(&free)
        return Candidate(
            law: law.denseTwin(experts) ?? law.law, counting: law.metadata.counting, request: free, experts: experts,
            granularity: granularity, topK: topK)
    }

    func label(_ candidate: Candidate) -> String {
        "E = \(Int(candidate.experts))"
            + (law.metadata.variables.contains(.granularity) ? ", G = \(Int(candidate.granularity))" : "")
    }

    /// Loss over model size at one budget; the valley of every E is marked.
    private func isoflop(_ flops: Double) -> Chart {
        let candidates = freeCandidates
        let optima = candidates.map { $0.optimum(from: 8) ?? 64 }
        let low = 0.25 * (optima.min() ?? 64), high = 2.5 * (optima.max() ?? 64)
        let widths = (0...120).map { low * pow(high / low, Double($0) / 120) }
        let curves = candidates.map { candidate in
            widths.compactMap { d -> (Double, Double)? in
                candidate.point(d).map { ($0.active, candidate.law.loss(at: $0)) }
            }
        }
        let valleys = zip(candidates, optima).compactMap { candidate, d in
            candidate.point(d).map { ($0.active, candidate.law.loss(at: $0)) }
        }
        let bottom = valleys.map(\.1).min() ?? 0, top = valleys.map(\.1).max() ?? 1
        // Cut the walls of the valleys: what matters is how deep they are and where.
        let ceiling = top + max(0.9 * (top - bottom), 0.1)
        var chart = Chart(
            title: "Loss at \(scientific(flops)) training FLOPs",
            subtitle:
                "Each curve spends the same compute on models of different size; the valley is marked. \(law.metadata.title).",
            x: Axis(
                "active parameters", .logarithmic, covering: curves.flatMap { $0.map(\.0) }, room: 0,
                write: shortCount),
            y: Axis("loss, nats per token", .linear, covering: [bottom, ceiling]))
        chart.rightMargin = 30
        for (index, curve) in curves.enumerated() {
            let color = ChartColor.ordered(index, of: curves.count)
            chart.marks.append(.line(curve.filter { $0.1 <= ceiling * 1.2 }, color: color))
        }
        chart.marks.append(.line(valleys, color: .axis, width: 1.2, dashes: "4 4"))
        for (index, goldenSectionMinimum) in valleys.enumerated() {
            let color = ChartColor.ordered(index, of: valleys.count)
            chart.marks.append(
                .named(goldenSectionMinimum.0, goldenSectionMinimum.1, label(candidates[index]), color: color))
        }
        return chart
    }

    /// Compute saved over compute-optimal dense training to the same loss, over the budget.
    private func computeSaved(_ flops: Double) -> Chart {
        let budgets = (-8...8).map { flops * pow(10, Double($0) / 4) }
        let candidates = freeCandidates
        let dense = law.dense.map { dense in
            Candidate(
                law: dense, counting: law.metadata.counting, request: PlanRequest(experts: [1]), experts: 1,
                granularity: 1,
                topK: 1)
        }
        let curves = candidates.map { free in
            budgets.compactMap { budget -> (Double, Double)? in
                let at = candidate(experts: free.experts, granularity: free.granularity, topK: free.topK) {
                    $0.flops = budget
                }
                guard let d = at.optimum(from: 8), let needed = dense?.flopsToReach(at.loss(d)) else { return nil }
                return (budget, 100 * (1 - budget / needed))
            }
        }
        var chart = Chart(
            title: "Compute saved by experts",
            subtitle: "Against compute-optimal dense training to the same loss. \(law.metadata.title).",
            x: Axis("training FLOPs of the MoE", .logarithmic, covering: budgets, room: 0, write: scientific),
            y: Axis("compute saved, %", .linear, covering: curves.flatMap { $0.map(\.1) } + [0]))
        for (index, curve) in curves.enumerated() {
            let color = ChartColor.ordered(index, of: curves.count)
            chart.marks.append(.line(curve, color: color, label: label(candidates[index])))
        }
        return chart
    }
}
