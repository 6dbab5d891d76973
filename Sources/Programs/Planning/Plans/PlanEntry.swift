package import Configuration
import Diagnostics
import Platform

/// The best model for one choice of experts.
package struct PlanEntry: Sendable {
    package let experts, granularity, topK: Double
    /// The optimum among real numbers: what the papers tabulate.
    package let optimum: Sizing
    /// The best model that can be built: d = 64·n, n blocks, n heads.
    package let buildable: Sizing
    /// Of four runs in five, if the law holds; nil where nobody said how sure the law is.
    package let interval: ClosedRange<Double>?
    /// What keeps the model from being better.
    package let limits: [String]
    package let learningRate: Double
    /// Why the rate may be off; nil if nothing speaks against it.
    package let learningRateCaution: String?
    package let batch: [BatchStage]
    /// Rate and batch by another rule.
    package let stepLaw: StepLawAdvice
    package let memoryBytes: Double?
    /// FLOPs of compute-optimal dense training to the same loss, over this training's.
    package let computeAdvantage: Double?
    /// The smallest model that reaches the dense optimum's loss with the same budget.
    package let overTrained: Sizing?
    /// A served token's cost with `overTrained`, over the dense optimum's.
    package let servingCost: Double?
    package let warnings: [String]

    /// What rounding to whole blocks costs, nats.
    package var roundingCost: Double { buildable.loss - optimum.loss }

    /// Nil if no model fits the limits or the best one is no better than guessing.
    init?(_ candidate: Candidate, _ law: PlanningLaw, _ dense: Candidate?) {
        guard let d = candidate.optimum(), let whole = candidate.buildable(near: d) else { return nil }
        let optimum = Sizing(candidate, dModel: d), buildable = Sizing(candidate, dModel: whole)
        guard buildable.loss < log(candidate.request.vocabularySize) else { return nil }
        let shape = candidate.shape(whole)
        (experts, granularity, topK) = (candidate.experts, candidate.granularity, candidate.topK)
        (self.optimum, self.buildable) = (optimum, buildable)
        let point = candidate.counting.point(shape, tokens: buildable.tokens)
        interval = candidate.isDenseTwin ? nil : law.interval(at: point)
        limits = candidate.limits(at: d)
        let recipe = TrainingRecipe(candidate.counting)
        let active = candidate.counting.activeParameters(shape)
        learningRate = recipe.learningRate(active: active, experts: experts)
        learningRateCaution = recipe.learningRateCaution(active: active)
        batch = recipe.batch(tokens: buildable.tokens)
        stepLaw = StepLawAdvice(shape, candidate.counting, tokens: buildable.tokens)
        memoryBytes = candidate.request.memory?.bytes(for: shape, candidate.counting)
        computeAdvantage = dense?.flopsToReach(optimum.loss).map { needed in
            let ratio = needed / optimum.trainingFLOPs
            return abs(ratio - 1) < 1e-4 ? 1 : ratio  // what bisection leaves of a dense model's zero
        }
        let twin = dense.flatMap { dense in dense.request.flops == nil ? nil : dense.optimum(from: 1) }
        let trusted = candidate.trusted(law.domain)
        if let dense, let twin, let small = trusted.smallest(reaching: dense.loss(twin)) {
            overTrained = Sizing(trusted, dModel: small)
            servingCost =
                candidate.counting.inferenceFLOPsPerToken(candidate.shape(small))
                / dense.counting.inferenceFLOPsPerToken(dense.shape(twin))
        } else {
            (overTrained, servingCost) = (nil, nil)
        }
        var domain = law.domain
        if candidate.isDenseTwin { domain.experts = 1...1 }
        warnings = extrapolationWarnings(point, domain)
    }
}

extension Candidate {
    /// The limits that bind at the optimum.
    func limits(at dModel: Double) -> [String] {
        var binding = [tokens(shape(dModel)).limit.rawValue]
        if let obstacle = obstacle(shape(dModel * 1.001)) { binding.append(obstacle.rawValue) }
        return binding
    }

    /// The same, held to as many tokens per active parameter as the law is trusted with.
    func trusted(_ domain: FittedDomain) -> Candidate {
        var limited = request
        limited.maximumTokensPerParameter = min(
            request.maximumTokensPerParameter ?? .infinity, domain.tokensPerParameter)
        return Candidate(
            law: law, counting: counting, request: limited, experts: experts, granularity: granularity, topK: topK,
            isDenseTwin: isDenseTwin)
    }

    /// The smallest d that reaches `target` within the limits: Yun et al. 2024 (arXiv:2404.02852), section 5, by bisection
    /// between the smallest model and the loss-optimal one. Nil if even that does not reach it.
    func smallest(reaching target: Double) -> Double? {
        guard let best = optimum(from: 8), loss(best) <= target else { return nil }
        var (misses, reaches) = (8.0, best)
        guard loss(misses) > target else { return misses }
        while reaches / misses > 1 + 1e-7 {
            let middle = (misses * reaches).squareRoot()
            if loss(middle) <= target { reaches = middle } else { misses = middle }
        }
        return reaches
    }
}

/// Where `point` lies beyond the runs that the law was fitted to.
func extrapolationWarnings(_ point: ScalePoint, _ domain: FittedDomain) -> [String] {
    var warnings: [String] = []
    func compare(_ value: Double, _ range: ClosedRange<Double>, slack: Double, _ name: String, _ unit: String) {
        if value > range.upperBound * slack {
            warnings.append(
                "\(shortCount(value)) \(name) are \(significant(value / range.upperBound, 2)) × the largest "
                    + "\(unit) behind the law (\(shortCount(range.upperBound)))")
        } else if value < range.lowerBound / slack {
            warnings.append(
                "\(shortCount(value)) \(name) are 1/\(significant(range.lowerBound / value, 2)) of the smallest "
                    + "\(unit) behind the law (\(shortCount(range.lowerBound)))")
        }
    }
    compare(point.active, domain.active, slack: 2, "active parameters", "model")
    compare(point.tokens, domain.tokens, slack: 2, "tokens", "training")
    if !domain.experts.contains(point.experts) {
        let (low, high) = (Int(domain.experts.lowerBound), Int(domain.experts.upperBound))
        let range = low == high ? "E = \(low)" : "E from \(low) to \(high)"
        warnings.append("E = \(Int(point.experts)): the law was fitted with \(range)")
    }
    let ratio = point.tokens / point.active
    if ratio > domain.tokensPerParameter {
        warnings.append(
            "\(Int(saturating: ratio)) tokens per active parameter: the law is not trusted beyond \(Int(saturating: domain.tokensPerParameter))"
        )
    }
    return warnings
}
