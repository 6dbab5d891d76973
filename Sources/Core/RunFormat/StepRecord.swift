/// Assignments to the experts of a layer over their mean; 0 where there are none.
package func relativeLoads(_ counts: [Double]) -> [Double] {
    let mean = counts.reduce(0, +) / Double(max(counts.count, 1))
    return counts.map { mean > 0 ? $0 / mean : 0 }
}

/// One line of `metrics.jsonl`: what one optimizer step did. docs/metrics.md says what each figure means.
package struct StepRecord: Codable, Sendable {
    /// Bytes of a line: no record is longer, and a longer line is none.
    package static let longest = 1 << 22

    package var step = 0
    /// When the step ended, ISO 8601 in UTC, and on which host rank 0 computed it; nil in records of versions that did not say.
    package var time: String?
    package var host: String?
    /// Predicted tokens up to and including this step.
    package var tokens = 0
    /// Sequences drawn from the training data up to and including this step; nil in records of versions that did not say.
    package var sequences: Int?
    /// Cross-entropy alone, nats per token.
    package var loss = 0.0
    package var totalLoss = 0.0
    /// Of a mixture, in the order of its sources: predicted tokens up to and including this step, and the loss of this step's, nil of a
    /// source that gave none. Nil where there is one source.
    package var tokensBySource: [Int]?
    package var lossBySource: [Double?]?
    package var loadBalanceLoss = 0.0
    package var zLoss = 0.0
    package var validationLoss: Double?
    package var validationBitsPerByte: Double?
    /// Of a mixture, the same loss of each source's part of the held-out text, nil of one without; nil where the text is not of several.
    package var validationLossBySource: [Double?]?
    /// The same loss with the average of the parameters; nil if the run keeps none.
    package var emaValidationLoss: Double?
    package var learningRate = 0.0
    package var gradientNorm = 0.0
    /// True where the step was skipped: nothing was updated. Nil otherwise.
    package var skipped: Bool?
    package var tokensPerSecond = 0.0
    /// Model FLOP/s over the machine's own measured GEMM peak; dropped tokens are not counted as work.
    package var mfu = 0.0
    /// True where `mfu` is above 1: the peak was measured while something else ran. Nil otherwise.
    package var mfuIsDoubtful: Bool?
    /// That peak, of all ranks, FLOP/s: as measured when the job started or after the last validation.
    package var gemmPeakFlops = 0.0
    /// Assignments that found no slot, of all, and layer by layer.
    package var droppedRatio = 0.0
    package var droppedRatioByLayer: [Double] = []
    /// Assignments to the busiest expert over the mean, averaged over micro-batches, layer by layer.
    package var loadImbalanceByLayer: [Double] = []
    /// Assignments to every expert in the step, before capacity, layer by layer; nil where `metrics.expert_load_every` leaves it out.
    package var expertLoad: [[Int]]?
    package var seconds = 0.0
    package var computeSeconds = 0.0
    package var exchangeSeconds = 0.0
    package var reductionSeconds = 0.0
    /// Hidden behind computation, so in none of the others; nil if reductions do not overlap.
    package var overlappedReductionSeconds: Double?
    package var waitingSeconds = 0.0
    /// Of one micro-batch in flight while the other computed; nil where there is but one.
    package var hiddenExchangeSeconds: Double?
    /// How long training stood still for checkpoints since the record before; nil if it did not.
    package var checkpointStallSeconds: Double?
    /// Of the rank that has used most.
    package var peakMemoryBytes = 0
    package var parameterDigest = ""
    package var gradientDigest = ""
    package var routeDigest = ""

    package init() {}

    /// Assignments to every expert over the mean of its layer: 1 where the load is even. Nil as `expertLoad`.
    package var relativeExpertLoad: [[Double]]? { expertLoad?.map { relativeLoads($0.map(Double.init)) } }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case step, time, host, tokens, sequences, loss
        case totalLoss = "total_loss"
        case tokensBySource = "tokens_by_source"
        case lossBySource = "loss_by_source"
        case loadBalanceLoss = "load_balance_loss"
        case zLoss = "z_loss"
        case validationLoss = "validation_loss"
        case validationBitsPerByte = "validation_bits_per_byte"
        case validationLossBySource = "validation_loss_by_source"
        case emaValidationLoss = "ema_validation_loss"
        case learningRate = "learning_rate"
        case gradientNorm = "gradient_norm"
        case skipped
        case tokensPerSecond = "tokens_per_second"
        case mfu
        case mfuIsDoubtful = "mfu_is_doubtful"
        case gemmPeakFlops = "gemm_peak_flops"
        case droppedRatio = "dropped_ratio"
        case droppedRatioByLayer = "dropped_ratio_by_layer"
        case loadImbalanceByLayer = "load_imbalance_by_layer"
        case expertLoad = "expert_load"
        case seconds
        case computeSeconds = "compute_seconds"
        case exchangeSeconds = "exchange_seconds"
        case reductionSeconds = "reduction_seconds"
        case overlappedReductionSeconds = "overlapped_reduction_seconds"
        case waitingSeconds = "waiting_seconds"
        case hiddenExchangeSeconds = "hidden_exchange_seconds"
        case checkpointStallSeconds = "checkpoint_stall_seconds"
        case peakMemoryBytes = "peak_memory_bytes"
        case parameterDigest = "parameter_digest"
        case gradientDigest = "gradient_digest"
        case routeDigest = "route_digest"
    }
}
