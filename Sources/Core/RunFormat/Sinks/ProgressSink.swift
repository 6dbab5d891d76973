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
        progress.show(fitting: { line(record, columns: $0) }, important: record.step == lastStep)
    }

    package func flush() {}

    /// All fields, or without those that are missed least, as many as it takes.
    private func line(_ record: StepRecord, columns: Int?) -> String {
        var fields = fields(record)
        func text() -> String { fields.map(\.text).joined(separator: "  ") }
        guard let columns else { return text() }
        for rank in 1...4 where text().count > columns { fields.removeAll { $0.rank == rank } }
        return text()
    }

    /// - Returns: those of lower ranks are left out first, those of rank 0 never
    private func fields(_ record: StepRecord) -> [(text: String, rank: Int)] {
        let left = Double(lastStep - record.step)
        let typical = recentSeconds.sorted()[recentSeconds.count / 2]
        let doubt = record.mfuIsDoubtful == true ? " (doubtful)" : ""
        return [
            ("step \(record.step)/\(lastStep)", 0), ("loss \(decimals(record.loss, 4))", 0),
            ("norm \(decimals(record.gradientNorm, 2))", 1),
            ("\(grouped(Int(record.tokensPerSecond))) tokens/s", 4),
            ("MFU \(decimals(100 * record.mfu, 1)) %\(doubt)", 3),
            ("dropped \(decimals(100 * record.droppedRatio, 1)) %", 2), ("ETA \(duration(left * typical))", 0),
        ]
    }
}
