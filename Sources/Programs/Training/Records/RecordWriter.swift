import Configuration
import Diagnostics
import Foundation
import Inference
import Model
import Parallelism
package import RunFormat
import Threading

/// Turns outcomes into records and hands them to the sinks. On rank 0.
final class RecordWriter {
    private let configuration: ResolvedConfiguration
    private let work: ModelCost
    private let metrics: JSONLinesSink
    private let sinks: RecordSinks

    /// Bytes of `metrics.jsonl` so far.
    var metricsBytes: Int { metrics.bytes }

    /// The files that the sinks write, which are compared with what the run reads before anything is written.
    ///
    /// An event file for TensorBoard is not among them: its name is one that no file has yet.
    static func files(_ metrics: MetricsConfiguration, in directory: RunDirectory) -> [String] {
        [directory.metrics] + (metrics.formats.contains(.csv) ? [directory.metricsTable] : [])
    }

    /// - Throws: `cannotCreate` if something else lies where the sinks write
    static func requireOurs(_ metrics: MetricsConfiguration, in directory: RunDirectory) throws(Failure) {
        if metrics.formats.contains(.csv) { try CSVSink.requireOurs(directory.metricsTable) }
        if metrics.formats.contains(.tensorBoard) { try TensorBoardSink.requireDirectory(directory.tensorBoard) }
    }

    /// Opens the sinks of a run. Another sink is another element of the list here, and its file one of `files`.
    /// - Parameter step: the records of later steps are removed
    /// - Throws: `cannotCreate` or `inputOutput` if one cannot be written
    init(
        _ configuration: ResolvedConfiguration, _ end: RunEnd, in directory: RunDirectory, resumingAfter step: Int,
        progress: ProgressDisplay
    ) throws(Failure) {
        self.configuration = configuration
        work = ModelCost(configuration.model)
        metrics = try JSONLinesSink(directory.metrics)
        var sinks: [any RecordSink] = [
            metrics,
            ProgressSink(on: progress, lastStep: end.steps),
        ]
        let formats = configuration.metrics.formats
        if formats.contains(.csv) { sinks.append(try CSVSink(directory.metricsTable)) }
        if formats.contains(.tensorBoard) {
            sinks.append(try TensorBoardSink(directory.tensorBoard, configuration: configuration.yaml))
        }
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

    /// - Parameter gemmPeak: of all ranks, FLOP/s
    func record(
        _ outcome: StepOutcome, after state: TrainingState, seconds: Double, gemmPeak: Double,
        validation: RunValidation.Result?
    ) -> StepRecord {
        let microBatches = outcome.microBatches
        let weights = configuration.routing.weights(layers: configuration.model.routedLayers)
        var record = StepRecord()
        record.step = state.step
        record.time = Date().formatted(.iso8601)
        record.host = ProcessInfo.processInfo.hostName
        (record.tokens, record.sequences) = (state.consumed.tokens, state.consumed.sequences)
        record.loss = microBatches.loss
        if outcome.sequencesBySource.count > 1 {
            record.tokensBySource = outcome.sequencesBySource.map { $0 * configuration.model.context }
            record.lossBySource = microBatches.lossBySource
        }
        (record.loadBalanceLoss, record.zLoss) = (microBatches.loadBalance, microBatches.z)
        record.totalLoss =
            microBatches.loss + weights.loadBalance * microBatches.loadBalance + weights.z * microBatches.z
        record.learningRate = outcome.learningRate
        record.gradientNorm = outcome.gradientNorm
        record.skipped = outcome.verdict == .applied ? nil : true
        record.droppedRatioByLayer = microBatches.dropped
        record.droppedRatio = microBatches.dropped.reduce(0, +) / Double(configuration.model.routedLayers)
        record.loadImbalanceByLayer = microBatches.imbalance
        record.expertLoad = microBatches.expertLoad
        record.seconds = seconds
        record.tokensPerSecond = Double(outcome.batch.tokens) / seconds
        let useful = work.flopsPerToken(droppedRatio: record.droppedRatio, visible: microBatches.visibleTokens)
        record.mfu = record.tokensPerSecond * useful / gemmPeak
        record.gemmPeakFlops = gemmPeak
        record.mfuIsDoubtful = record.mfu > 1 ? true : nil
        record.enter(outcome.times)
        if !configuration.parallel.overlapReduction { record.overlappedReductionSeconds = nil }
        record.parameterDigest = hexadecimal(outcome.parameterDigest)
        record.gradientDigest = hexadecimal(outcome.gradientDigest)
        record.routeDigest = hexadecimal(microBatches.routeDigest)
        record.enter(validation)
        return record
    }
}

extension StepRecord {
    /// Takes another measurement of the GEMM peak, in FLOP/s.
    package mutating func enter(gemmPeak: Double) {
        mfu *= gemmPeakFlops / gemmPeak
        gemmPeakFlops = gemmPeak
        mfuIsDoubtful = mfu > 1 ? true : nil
    }

    /// Takes what the step's `seconds` went into.
    fileprivate mutating func enter(_ times: CommunicationTimes) {
        (exchangeSeconds, reductionSeconds, waitingSeconds) = (times.exchange, times.reduction, times.waiting)
        computeSeconds = seconds - times.exchange - times.reduction - times.waiting
        overlappedReductionSeconds = times.overlappedReduction
        hiddenExchangeSeconds = times.hidden > 0 ? times.hidden : nil
    }

    mutating func enter(_ validation: RunValidation.Result?) {
        validationLoss = validation?.parameters.loss
        validationBitsPerByte = validation?.parameters.bitsPerByte
        let bySource = validation?.parameters.lossBySource ?? []
        validationLossBySource = bySource.isEmpty ? nil : bySource
        emaValidationLoss = validation?.average?.loss
    }
}
