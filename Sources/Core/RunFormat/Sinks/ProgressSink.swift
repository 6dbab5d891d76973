import Diagnostics

/// One line of progress a step: loss, speed, and when the run will be done.
package final class ProgressSink: RecordSink {
    private let progress: ProgressDisplay
    /// The last step of the run.
    private let lastStep: Int
    /// Seconds since the job began to train.
    private let elapsed: () -> Double
    private var recentSeconds: [Double] = []

    /// - Parameters:
    ///   - progress: where lines are shown
    ///   - lastStep: of the run
    ///   - elapsed: seconds since the job began to train; nil: since now
    package init(on progress: ProgressDisplay, lastStep: Int, elapsed: (() -> Double)? = nil) {
        self.progress = progress
        self.lastStep = lastStep
        let began = ContinuousClock.now
        self.elapsed = elapsed ?? { (ContinuousClock.now - began) / .seconds(1) }
    }

    /// What was shown stays.
    package func resume(after step: Int) {}

    package func append(_ record: StepRecord) {
        recentSeconds = (recentSeconds + [record.seconds]).suffix(20)
        progress.show(fitting: { line(record, columns: $0) }, important: record.step == lastStep)
    }

    package func flush() {}

    /// All fields, each as wide in every line; in a row that is too narrow as short as they are, and then without those that are
    /// missed least, as many as it takes.
    private func line(_ record: StepRecord, columns: Int?) -> String {
        var fields = fields(record)
        let wide = fields.map(\.padded).joined(separator: "  ")
        guard let columns, wide.count > columns else { return wide }
        func text() -> String { fields.map(\.text).joined(separator: "  ") }
        for rank in 1...5 where text().count > columns { fields.removeAll { $0.rank == rank } }
        return text()
    }

    /// A number with its name, or its unit.
    private struct Field {
        var name = ""
        let number: String
        var unit = ""
        /// Of the number, usually.
        let width: Int
        /// Those of lower ranks are left out first, those of rank 0 never.
        let rank: Int

        var text: String { [name, number, unit].filter { !$0.isEmpty }.joined(separator: " ") }
        var padded: String {
            let blanks = String(repeating: " ", count: max(0, width - number.count))
            return [name, blanks + number, unit].filter { !$0.isEmpty }.joined(separator: " ")
        }
    }

    private func fields(_ record: StepRecord) -> [Field] {
        let left = Double(lastStep - record.step), digits = "\(lastStep)".count
        let typical = recentSeconds.sorted()[recentSeconds.count / 2]
        let doubt = record.mfuIsDoubtful == true ? " (doubtful)" : ""
        return [
            Field(name: "step", number: "\(record.step)/\(lastStep)", width: 2 * digits + 1, rank: 0),
            Field(name: "loss", number: decimals(record.loss, 4), width: 7, rank: 0),
            Field(name: "norm", number: decimals(record.gradientNorm, 2), width: 5, rank: 2),
            Field(number: grouped(record.tokensPerSecond), unit: "tokens/s", width: 7, rank: 5),
            Field(name: "MFU", number: decimals(100 * record.mfu, 1), unit: "%\(doubt)", width: 4, rank: 4),
            Field(name: "dropped", number: decimals(100 * record.droppedRatio, 1), unit: "%", width: 4, rank: 3),
            Field(name: "elapsed", number: duration(elapsed()), width: 6, rank: 1),
            Field(name: "ETA", number: duration(left * typical), width: 6, rank: 0),
        ]
    }
}
