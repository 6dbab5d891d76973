import Charts
import RunFormat

/// A number of a step's record of which a report draws a curve.
package enum RecordQuantity: Int, CaseIterable, Sendable {
    case loss, learningRate, gradientNorm, tokensPerSecond, mfu, droppedRatio, peakMemory
    case computeSeconds, exchangeSeconds, reductionSeconds, waitingSeconds

    /// Nil where the record has no such number, or one that no curve can show.
    func value(in record: StepRecord) -> Double? {
        let value = number(in: record)
        return value.isDrawable ? value : nil
    }

    private func number(in record: StepRecord) -> Double {
        switch self {
        case .loss: record.loss
        case .learningRate: record.learningRate
        case .gradientNorm: record.gradientNorm
        case .tokensPerSecond: record.tokensPerSecond
        // What is above 1 was measured against a peak that other work made too low.
        case .mfu: record.mfuIsDoubtful == true ? .nan : 100 * record.mfu
        case .droppedRatio: 100 * record.droppedRatio
        case .peakMemory: Double(record.peakMemoryBytes)
        case .computeSeconds: record.computeSeconds
        case .exchangeSeconds: record.exchangeSeconds
        case .reductionSeconds: record.reductionSeconds
        case .waitingSeconds: record.waitingSeconds
        }
    }
}
