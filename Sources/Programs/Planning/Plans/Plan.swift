package import Diagnostics
import Platform

/// The answer to a request: the best model for every choice of experts, the best of them first.
package struct Plan: Sendable {
    package let law: PlanningLaw
    package let request: PlanRequest
    /// Ascending in loss.
    package let entries: [PlanEntry]
    /// Choices that no model fits, and why.
    package let impossible: [(experts: Double, granularity: Double, topK: Double, reason: String)]

    package var best: PlanEntry { entries[0] }

    /// The best granularity if every one had the FLOPs of the best choice, as the papers compare; nil where all rates are one.
    package var granularityAtEqualCompute: Double? {
        guard !request.relativeRates.isEmpty else { return nil }
        var equal = request
        equal.relativeRates = request.relativeRates.mapValues { _ in request.relativeRates[best.granularity] ?? 1 }
        return (try? Plan(equal, by: law))?.best.granularity
    }

    /// - Throws: a `Failure` if the request makes no sense or nothing fits it
    package init(_ request: PlanRequest, by law: PlanningLaw) throws(Failure) {
        try request.validate(for: law.metadata)
        try law.refuseDense(request.experts)
        self.law = law
        self.request = request
        let candidates = Self.candidates(request, law)
        let dense = Self.denseReference(request, law)
        var entries: [PlanEntry] = []
        var impossible: [(Double, Double, Double, String)] = []
        for candidate in candidates {
            if let entry = PlanEntry(candidate, law, dense) {
                entries.append(entry)
            } else {
                impossible.append(
                    (candidate.experts, candidate.granularity, candidate.topK, candidate.reasonForNothing))
            }
        }
        guard !entries.isEmpty else { throw Self.nothingFits(candidates, law.name) }
        self.entries = entries.sorted {
            ($0.buildable.loss, $0.experts, $0.granularity) < ($1.buildable.loss, $1.experts, $1.granularity)
        }
        self.impossible = impossible.map { (experts: $0.0, granularity: $0.1, topK: $0.2, reason: $0.3) }
    }

    private static func candidates(_ request: PlanRequest, _ law: PlanningLaw) -> [Candidate] {
        Set(request.experts).sorted().flatMap { experts in
            Set(request.granularities).sorted().flatMap { granularity in
                Set(request.topKs).sorted().filter { $0 <= experts }.compactMap { k in
                    let twin = law.denseTwin(experts)
                    // A dense feed-forward is not cut: one candidate, whatever granularities are asked for.
                    if twin != nil, granularity != request.granularities.min() { return nil }
                    return Candidate(
                        law: twin ?? law.law, counting: law.metadata.counting, request: request, experts: experts,
                        granularity: twin == nil ? granularity : 1, topK: k, isDenseTwin: twin != nil)
                }
            }
        }
    }

    /// Dense models under the same compute, without any other limit.
    private static func denseReference(_ request: PlanRequest, _ law: PlanningLaw) -> Candidate? {
        guard let dense = law.dense else { return nil }
        var free = PlanRequest(experts: [1])
        free.flops = request.flops
        (free.vocabularySize, free.context) = (request.vocabularySize, request.context)
        free.countsLikeTrainer = request.countsLikeTrainer
        return Candidate(
            law: dense, counting: law.metadata.counting, request: free, experts: 1, granularity: 1, topK: 1)
    }

    private static func nothingFits(_ candidates: [Candidate], _ law: String) -> Failure {
        guard let first = candidates.min(by: { $0.experts < $1.experts }) else {
            return Failure(.usage, "--top-k asks for more experts than there are", advice: "K must be at most E")
        }
        return Failure(
            .usage, "no model fits: \(first.reasonForNothing)",
            advice: "the smallest model considered has d_model 64, one block and "
                + "E = \(Int(first.experts)): \(shortCount(first.counting.storedParameters(first.shape(64)))) parameters; "
                + "raise the budget or the memory, or lower --vocabulary-size or --bytes-per-parameter")
    }
}

extension Candidate {
    /// Why `optimum` is nil, in words.
    var reasonForNothing: String {
        let smallest = shape(64)
        switch obstacle(smallest) {
        case .memory?:
            let memory = request.memory.map { ($0.bytes(for: smallest, counting), $0.bytes) } ?? (0, 0)
            return "the smallest takes \(byteCount(memory.0)), the memory is \(byteCount(memory.1))"
        case .total?:
            let total = counting.point(smallest, tokens: 1).total
            return "the smallest has \(shortCount(total)) parameters, "
                + "the limit is \(shortCount(request.maximumTotal ?? 0))"
        default:
            let tokens = max(tokens(smallest).count, 0), flops = scientific(flops ?? 0)
            if let tokens = type(of: law).metadata.fixedTokens {
                return "the law holds at \(shortCount(tokens)) tokens, "
                    + "and \(flops) FLOPs do not train the smallest so long"
            }
            return "\(flops) FLOPs give the smallest \(shortCount(tokens)) tokens, "
                + "too few for a loss below ln V = \(decimals(log(request.vocabularySize), 2)), which guessing has"
        }
    }
}
