import Platform

/// A model with its training, as the law sees it.
package struct Sizing: Sendable, Equatable, Codable {
    package let dModel: Double
    package let layers: Double
    /// N_act and N_total as the law's paper counts them.
    package let activeParameters: Double
    package let totalParameters: Double
    /// All parameters with embedding and head.
    package let storedParameters: Double
    package let tokens: Double
    package let loss: Double
    package let trainingFLOPs: Double
    /// The same training's FLOPs as the trainer counts them.
    package let trainerFLOPs: Double
    package let inferenceFLOPsPerToken: Double

    init(_ candidate: Candidate, dModel: Double) {
        let shape = candidate.shape(dModel), counting = candidate.counting
        let tokens = candidate.tokens(shape).count
        let point = counting.point(shape, tokens: tokens)
        self.dModel = dModel
        layers = shape.blocks
        activeParameters = point.active
        totalParameters = point.total
        storedParameters = counting.storedParameters(shape)
        self.tokens = tokens
        loss = candidate.law.loss(at: point)
        trainingFLOPs = tokens * counting.trainingFLOPsPerToken(shape)
        trainerFLOPs = tokens * counting.trainerFLOPsPerToken(shape, context: candidate.request.context)
        inferenceFLOPsPerToken = counting.inferenceFLOPsPerToken(shape)
    }

    enum CodingKeys: String, CodingKey {
        case dModel = "d_model"
        case layers, tokens, loss
        case activeParameters = "active_parameters"
        case totalParameters = "total_parameters"
        case storedParameters = "stored_parameters"
        case trainingFLOPs = "training_flops"
        case trainerFLOPs = "trainer_flops"
        case inferenceFLOPsPerToken = "inference_flops_per_token"
    }
}

extension Candidate {
    /// The best d = 64·n, n = 1, 2, …, with as many blocks and heads as n; tokens are spent anew for its size.
    func buildable(near optimum: Double) -> Double? {
        let n = (optimum / 64).rounded(.down)
        let choices = [n - 1, n, n + 1, n + 2].filter { $0 >= 1 }.map { 64 * $0 }
        return choices.filter { obstacle(shape($0)) == nil && loss($0).isFinite }.min { loss($0) < loss($1) }
    }

    /// FLOPs with which the best model of this kind, whatever it needs of memory and tokens, reaches `target`.
    func flopsToReach(_ target: Double) -> Double? {
        var free = PlanRequest(experts: [experts])
        free.vocabularySize = request.vocabularySize
        func best(_ logFLOPs: Double) -> Double {
            var request = free
            request.flops = exp(logFLOPs)
            let candidate = Candidate(
                law: law, counting: counting, request: request, experts: experts, granularity: granularity, topK: topK)
            return candidate.optimum(from: 1).map(candidate.loss) ?? .infinity
        }
        var (low, high) = (log(1e12), log(1e36))
        guard best(high) <= target, best(low) > target else { return nil }
        while high - low > 1e-5 {
            let middle = (low + high) / 2
            if best(middle) <= target { high = middle } else { low = middle }
        }
        return exp((low + high) / 2)
    }
}
