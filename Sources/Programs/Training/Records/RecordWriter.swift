import Configuration
import Diagnostics
import Inference
import Model
import Parallelism
import RunFormat
import Threading

/// Turns outcomes into records and hands them to the sinks. On rank 0.
final class RecordWriter {
    private let configuration: ResolvedConfiguration
    private let work: ModelCost
    /// Of all ranks, FLOP/s.
    var gemmPeak: Double
    private let metrics: JSONLinesSink
    private let sinks: RecordSinks

    /// Bytes of `metrics.jsonl` so far.
    var metricsBytes: Int { metrics.bytes }

    /// The files that the sinks write, which are compared with what the run reads before anything is written.
    static func files(in directory: RunDirectory) -> [String] { [directory.metrics] }

    /// Opens the sinks of a run. Another sink is another element of the list here, and its file one of `files`.
    /// - Parameter step: the records of later steps are removed
    /// - Throws: `cannotCreate` or `inputOutput` if one cannot be written
    init(
        _ configuration: ResolvedConfiguration, _ end: RunEnd, gemmPeak: Double, in directory: RunDirectory,
        resumingAfter step: Int, progress: ProgressDisplay
    ) throws(Failure) {
        self.configuration = configuration
        work = ModelCost(configuration.model)
        self.gemmPeak = gemmPeak
        metrics = try JSONLinesSink(directory.metrics)
        let sinks: [any RecordSink] = [
            metrics,
            ProgressSink(on: progress, lastStep: end.steps),
        ]
        self.sinks = try RecordSinks(sinks, resumingAfter: step) { progress.log($0) }
    }

    /// Bytes of `metrics.jsonl` with the records of all steps so far, for a checkpoint, which needs none but these.
    /// - Throws: `inputOutput` if some of them could not be written
    func flushed() throws(Failure) -> Int {
        sinks.flush()
        try metrics.flush()
        return metrics.bytes
    }

    /// A full disk costs a warning: the record waits for room in memory.
    func report(_ record: StepRecord) { sinks.append(record) }

    /// - Parameter stall: seconds that training stood still for checkpoints since the record before
    func record(
        _ outcome: StepOutcome, after state: TrainingState, seconds: Double, stall: Double?, peakMemory: Int,
        validation: ValidationResult?
    ) -> StepRecord {
        let microBatches = outcome.microBatches, routing = configuration.routing
        var record = StepRecord()
        record.step = state.step
        record.tokens = state.consumed.tokens
        record.sequences = state.consumed.sequences
        record.loss = microBatches.loss
        record.loadBalanceLoss = microBatches.loadBalance
        record.zLoss = microBatches.z
        record.totalLoss =
            microBatches.loss + routing.loadBalanceWeight * microBatches.loadBalance + routing.zLossWeight
            * microBatches.z
        record.learningRate = outcome.learningRate
        record.gradientNorm = outcome.gradientNorm
        record.droppedRatioByLayer = microBatches.dropped
        record.droppedRatio = microBatches.dropped.reduce(0, +) / Double(microBatches.dropped.count)
        record.loadImbalanceByLayer = microBatches.imbalance
        record.seconds = seconds
        record.tokensPerSecond = Double(configuration.batch.tokens) / seconds
        record.mfu = record.tokensPerSecond * work.flopsPerToken(droppedRatio: record.droppedRatio) / gemmPeak
        record.gemmPeakFlops = gemmPeak
        record.exchangeSeconds = outcome.times.exchange
        record.reductionSeconds = outcome.times.reduction
        record.overlappedReductionSeconds =
            configuration.parallel.overlapReduction ? outcome.times.overlappedReduction : nil
        record.waitingSeconds = outcome.times.waiting
        record.computeSeconds = seconds - outcome.times.exchange - outcome.times.reduction - outcome.times.waiting
        record.hiddenExchangeSeconds = outcome.times.hidden > 0 ? outcome.times.hidden : nil
        record.checkpointStallSeconds = stall
        record.peakMemoryBytes = peakMemory
        record.parameterDigest = hexadecimal(outcome.parameterDigest)
        record.gradientDigest = hexadecimal(outcome.gradientDigest)
        record.routeDigest = hexadecimal(microBatches.routeDigest)
        record.enter(validation)
        return record
    }
}

extension StepRecord {
    mutating func enter(_ validation: ValidationResult?) {
        validationLoss = validation?.loss
        validationBitsPerByte = validation?.bitsPerByte
    }
}
