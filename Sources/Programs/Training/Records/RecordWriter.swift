import Configuration
import Diagnostics
import Inference
import Model
import Parallelism
import RunFormat
import Threading

/// Turns outcomes into records: a line in `metrics.jsonl` and a line of progress. On rank 0.
final class RecordWriter {
    private let configuration: RunConfiguration
    private let end: RunEnd
    private let work: ModelCost
    /// Of all ranks, FLOP/s.
    var gemmPeak: Double
    private let file: JSONLinesSink
    private let progress: ProgressSink
    private var recentSeconds: [Double] = []
    /// Whether records wait to be written.
    private var isBehind = false

    init(
        _ configuration: RunConfiguration, _ end: RunEnd, gemmPeak: Double, file: JSONLinesSink, progress: ProgressSink
    ) {
        self.configuration = configuration
        self.end = end
        work = ModelCost(configuration.model)
        self.gemmPeak = gemmPeak
        self.file = file
        self.progress = progress
    }

    /// Bytes of the records so far, all of them in the file.
    /// - Throws: `inputOutput` if some could not be written
    func flushed() throws(Failure) -> Int {
        try file.flush()
        return file.bytes
    }

    /// A full disk costs a warning: the record waits for room in memory.
    func report(_ record: StepRecord) {
        do {
            try file.append(record)
            isBehind = false
        } catch {
            if !isBehind { progress.log("warning: records wait in memory, training goes on: \(error)") }
            isBehind = true
        }
        recentSeconds = (recentSeconds + [record.seconds]).suffix(20)
        progress.show(line(record), important: record.step == end.steps)
    }

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

    private func line(_ record: StepRecord) -> String {
        let left = Double(end.steps - record.step)
        let typical = recentSeconds.sorted()[recentSeconds.count / 2]
        return "step \(record.step)/\(end.steps)  loss \(decimals(record.loss, 4))  "
            + "norm \(decimals(record.gradientNorm, 2))  \(grouped(Int(record.tokensPerSecond))) tokens/s  "
            + "MFU \(decimals(100 * record.mfu, 1)) %  dropped \(decimals(100 * record.droppedRatio, 1)) %  "
            + "ETA \(duration(left * typical))"
    }
}

extension StepRecord {
    mutating func enter(_ validation: ValidationResult?) {
        validationLoss = validation?.loss
        validationBitsPerByte = validation?.bitsPerByte
    }
}
