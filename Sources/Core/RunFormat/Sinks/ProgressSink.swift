import Diagnostics

/// One line of progress a step: loss, speed, and when the run will be done.
package final class ProgressSink: RecordSink {
    private let progress: ProgressDisplay
    /// The last step of the run.
    private let lastStep: Int
    private var recentSeconds: [Double] = []

    package init(on progress: ProgressDisplay, lastStep: Int) {
        self.progress = progress
        self.lastStep = lastStep
    }

    /// What was shown stays.
    package func resume(after step: Int) {}

    package func append(_ record: StepRecord) {
        recentSeconds = (recentSeconds + [record.seconds]).suffix(20)
        progress.show(line(record), important: record.step == lastStep)
    }

    package func flush() {}

    private func line(_ record: StepRecord) -> String {
        let left = Double(lastStep - record.step)
        let typical = recentSeconds.sorted()[recentSeconds.count / 2]
        return "step \(record.step)/\(lastStep)  loss \(decimals(record.loss, 4))  "
            + "norm \(decimals(record.gradientNorm, 2))  \(grouped(Int(record.tokensPerSecond))) tokens/s  "
            + "MFU \(decimals(100 * record.mfu, 1)) %  dropped \(decimals(100 * record.droppedRatio, 1)) %  "
            + "ETA \(duration(left * typical))"
    }
}
