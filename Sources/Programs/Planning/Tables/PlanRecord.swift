package import Configuration
/// One choice of experts for programs, under names that stay.
package struct PlanRecord: Sendable, Codable {
    package var experts: Int
    package var granularity: Int
    package var topK: Int
    /// 1 for the best choice.
    package var rank: Int
    package var activeParameters: Double
    package var totalParameters: Double
    package var tokens: Double
    package var loss: Double
    package var lossLow: Double?
    package var lossHigh: Double?
    package var flops: Double
    package var limits: [String]
    package var buildable: Sizing
    package var roundingCost: Double
    package var learningRate: Double
    package var batch: [BatchStage]
    package var stepLaw: StepLawAdvice
    /// Training FLOPs of the optimum as the trainer counts them.
    package var trainerFLOPs: Double
    package var memoryBytes: Double?
    package var computeSaved: Double?
    package var overTrained: Sizing?
    package var servingCost: Double?
    package var warnings: [String]

    enum CodingKeys: String, CodingKey {
        case experts, granularity, rank, tokens, loss, flops, limits, buildable, batch, warnings
        case topK = "top_k"
        case activeParameters = "active_parameters"
        case totalParameters = "total_parameters"
        case lossLow = "loss_low"
        case lossHigh = "loss_high"
        case roundingCost = "rounding_cost"
        case learningRate = "learning_rate"
        case stepLaw = "step_law"
        case trainerFLOPs = "trainer_flops"
        case memoryBytes = "memory_bytes"
        case computeSaved = "compute_saved"
        case overTrained = "over_trained"
        case servingCost = "serving_cost"
    }

    /// - Parameter cautions: what holds for every choice
    init(_ entry: PlanEntry, rank: Int, cautions: [String]) {
        experts = Int(entry.experts)
        granularity = Int(entry.granularity)
        topK = Int(entry.topK)
        self.rank = rank
        activeParameters = entry.optimum.activeParameters
        totalParameters = entry.optimum.totalParameters
        tokens = entry.optimum.tokens
        loss = entry.optimum.loss
        lossLow = entry.interval?.lowerBound
        lossHigh = entry.interval?.upperBound
        flops = entry.optimum.trainingFLOPs
        limits = entry.limits
        buildable = entry.buildable
        roundingCost = entry.roundingCost
        learningRate = entry.learningRate
        batch = entry.batch
        stepLaw = entry.stepLaw
        trainerFLOPs = entry.optimum.trainerFLOPs
        memoryBytes = entry.memoryBytes
        computeSaved = entry.computeAdvantage.map { 1 - 1 / $0 }
        overTrained = entry.overTrained
        servingCost = entry.servingCost
        warnings = cautions + entry.warnings
    }
}

extension Plan {
    /// Every possible choice, in the order in which the request lists them.
    package var records: [PlanRecord] {
        let cautions = cautions
        let ranked = entries.enumerated().map { PlanRecord($0.element, rank: $0.offset + 1, cautions: cautions) }
        let order = { (record: PlanRecord) in
            (
                request.experts.firstIndex(of: Double(record.experts)) ?? 0,
                request.granularities.firstIndex(of: Double(record.granularity)) ?? 0, record.topK
            )
        }
        return ranked.sorted { order($0) < order($1) }
    }
}
