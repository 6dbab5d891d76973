import Charts
import Diagnostics
import Platform

extension Plan {
    private var bytesPerParameter: Double { request.memory?.bytesPerParameter ?? 2 }
    private var cachedTokens: Double { request.memory?.cachedTokens ?? 0 }

    private func limited(_ free: Candidate, bytes: Double, flops: Double) -> Candidate {
        candidate(experts: free.experts, granularity: free.granularity, topK: free.topK) {
            $0.flops = flops
            $0.memory = .init(bytes: bytes, bytesPerParameter: bytesPerParameter, cachedTokens: cachedTokens)
            $0.maximumTokensPerParameter = request.maximumTokensPerParameter ?? law.domain.tokensPerParameter
        }
    }

    /// The span of memory worth drawing: from a hundredth of what the smallest optimum takes to what the largest takes.
    private func memories(_ candidates: [Candidate], _ flops: Double, count: Int) -> [Double] {
        let needs = candidates.compactMap { free -> Double? in
            let at = candidate(experts: free.experts, granularity: free.granularity, topK: free.topK) {
                $0.flops = flops
            }
            let limit = PlanRequest.MemoryLimit(
                bytes: 1, bytesPerParameter: bytesPerParameter, cachedTokens: cachedTokens)
            return at.optimum(from: 8).map { limit.bytes(for: at.shape($0), at.counting) }
        }
        let low = 0.05 * (needs.min() ?? 1e9), high = 1.5 * (needs.max() ?? 1e12)
        return (0..<count).map { low * pow(high / low, Double($0) / Double(count - 1)) }
    }

    /// The best loss that fits in a memory, for every E.
    func lossAtMemory(_ flops: Double) -> Chart {
        let candidates = freeCandidates, sizes = memories(candidates, flops, count: 60)
        let curves = candidates.map { free in
            sizes.compactMap { bytes -> (Double, Double)? in
                let at = limited(free, bytes: bytes, flops: flops)
                return at.optimum(from: 64).map { (bytes, at.loss($0)) }
            }
        }
        let losses = curves.flatMap { $0.map(\.1) }
        let bottom = losses.min() ?? 0, top = curves.compactMap { $0.first?.1 }.min() ?? 1
        var chart = Chart(
            title: "Loss at equal memory, \(scientific(flops)) training FLOPs",
            subtitle: memorySubtitle,
            x: Axis("memory of one device", .logarithmic, covering: sizes, room: 0, write: byteCount),
            y: Axis("loss, nats per token", .linear, covering: [bottom, top + 0.1 * (top - bottom)]))
        for (index, curve) in curves.enumerated() {
            let color = ChartColor.ordered(index, of: curves.count)
            chart.marks.append(.line(curve, color: color, label: label(candidates[index])))
        }
        return chart
    }

    private var memorySubtitle: String {
        let cache = cachedTokens > 0 ? "a cache of \(Int(saturating: cachedTokens)) tokens" : "no cache"
        let ratio = Int(saturating: request.maximumTokensPerParameter ?? law.domain.tokensPerParameter)
        return "\(significant(bytesPerParameter, 3)) bytes a parameter, \(cache), D/N_act at most \(ratio). "
            + "\(law.metadata.title)."
    }

    /// Which E is best for every memory and budget.
    func frontier(_ flops: Double) -> Chart {
        let candidates = freeCandidates, count = 44
        let budgets = (0..<count).map { flops * pow(10, -2 + 4 * Double($0) / Double(count - 1)) }
        let sizes = memories(candidates, flops, count: count)
        let best = parallelMap(count * count) { cell in
            let losses = candidates.map { free -> Double in
                let at = limited(free, bytes: sizes[cell % count], flops: budgets[cell / count])
                return at.optimum(from: 64).map { at.loss($0) } ?? .infinity
            }
            return losses.indices.filter { losses[$0].isFinite }.min { losses[$0] < losses[$1] }
        }
        var chart = Chart(
            title: "How many experts are best", subtitle: memorySubtitle,
            x: Axis("memory of one device", .logarithmic, covering: edges(sizes), room: 0, write: byteCount),
            y: Axis("training FLOPs", .logarithmic, covering: edges(budgets), room: 0, write: scientific))
        let (xs, ys) = (edges(sizes), edges(budgets))
        for j in 0..<count {
            let row = best[j * count..<(j + 1) * count]
            var start = 0
            // One rectangle for neighbors of the same answer.
            for i in 1...count where i == count || row[j * count + i] != row[j * count + start] {
                let color = row[j * count + start].map { ChartColor.ordered($0, of: candidates.count) } ?? .empty
                chart.marks.append(.cell(xs[start]...xs[i], ys[j]...ys[j + 1], color: color))
                start = i
            }
        }
        chart.legend = candidates.enumerated().map {
            (ChartColor.ordered($0.offset, of: candidates.count), label($0.element))
        }
        if best.contains(where: { $0 == nil }) { chart.legend.append((.empty, "none fits")) }
        if let memory = request.memory {
            chart.marks.append(.dots([(memory.bytes, flops)], color: .accent, radius: 6))
        }
        return chart
    }

    /// The borders of cells around geometrically spaced centers.
    private func edges(_ centers: [Double]) -> [Double] {
        let half = (centers[1] / centers[0]).squareRoot()
        return [centers[0] / half] + centers.map { $0 * half }
    }

    /// What a cheaper model to serve costs in training: all ways to reach the plan's best loss.
    func overTraining() -> Chart {
        let target = best.optimum.loss, candidates = freeCandidates
        let curves = candidates.map { candidate in trade(candidate, target) }
        let all = curves.flatMap(\.self)
        let cheapest = all.map(\.1).min() ?? 1
        let shown = all.filter { $0.1 <= 12 * cheapest }
        var chart = Chart(
            title: "Training cost of a cheaper model to serve",
            subtitle:
                "All models that reach a loss of \(decimals(target, 3)); the cheapest training is marked. "
                + "\(law.metadata.title).",
            x: Axis("FLOPs per served token", .logarithmic, covering: shown.map(\.0), write: scientific),
            y: Axis("training FLOPs", .logarithmic, covering: shown.map(\.1), write: scientific))
        chart.rightMargin = 30
        for (index, curve) in curves.enumerated() {
            let color = ChartColor.ordered(index, of: curves.count)
            let visible = curve.filter { $0.1 <= 12 * cheapest }
            chart.marks.append(.line(visible, color: color))
            guard let least = curve.min(by: { $0.1 < $1.1 }) else { continue }
            chart.marks.append(.named(least.0, least.1, label(candidates[index]), color: color))
        }
        return chart
    }

    /// (FLOPs per served token, training FLOPs) of models of every size that reach `target`.
    private func trade(_ candidate: Candidate, _ target: Double) -> [(Double, Double)] {
        (0...160).compactMap { step in
            let shape = candidate.shape(32 * pow(1024, Double(step) / 160))
            guard let tokens = candidate.tokens(reaching: target, shape) else { return nil }
            let perToken = candidate.counting.trainingFLOPsPerToken(shape)
            return (perToken / 3, perToken * tokens)
        }
    }
}

extension Candidate {
    /// D with which a model reaches `target`; nil if no D does.
    func tokens(reaching target: Double, _ shape: Architecture) -> Double? {
        func loss(_ logTokens: Double) -> Double { law.loss(at: counting.point(shape, tokens: exp(logTokens))) }
        var (low, high) = (log(1e6), log(1e18))
        guard loss(high) <= target, loss(low) > target else { return nil }
        while high - low > 1e-6 {
            let middle = (low + high) / 2
            if loss(middle) <= target { high = middle } else { low = middle }
        }
        return exp(high)
    }
}
