import Configuration
import Diagnostics
package import RunFormat

/// What a user sees of a study: a line for every row that begins or ends, and where all of them stand.
package final class StudyDisplay {
    private let progress: ProgressDisplay
    private let began = ContinuousClock.now
    /// FLOPs of the rows that were done when this worker began.
    private var flopsBefore: Double?

    package init(on progress: ProgressDisplay) { self.progress = progress }

    func log(_ text: String) { progress.log(text) }

    func finished(_ row: StudyRow, _ outcome: StudyQueue.Outcome) {
        if let divergence = outcome.divergence { return log("diverged: \(row.name): \(divergence)") }
        let losses = outcome.results.map { "\(decimals($0.loss, 4)) after \(shortCount(Double($0.tokens)))" }
        log("done: \(row.name): loss \(losses.joined(separator: ", "))")
    }

    /// Rewrites the line of progress.
    /// - Parameters:
    ///   - study: whose rows
    ///   - open: rows that are neither done nor failed
    ///   - running: those of them that this worker trains
    ///   - failed: names of those that failed here
    func show(_ study: Study, open: [StudyRow], running: [StudyRow], failed: [String]) {
        progress.show(line(study, open, running, failed))
    }

    private func line(_ study: Study, _ open: [StudyRow], _ running: [StudyRow], _ failed: [String]) -> String {
        let left = Set(open.map(\.name) + failed), done = study.rows.filter { !left.contains($0.name) }
        let flopsDone = done.reduce(0) { $0 + $1.flops }, all = study.rows.reduce(0) { $0 + $1.flops }
        let before = flopsBefore ?? flopsDone
        flopsBefore = before
        let shares = running.map { share(of: $0, in: study) }
        let now = flopsDone + zip(running, shares).reduce(0) { $0 + $1.1 * $1.0.flops }
        let rate = (now - before) / ((ContinuousClock.now - began) / .seconds(1))
        let eta = rate > 0 ? "  ETA \(duration((all - now) / rate))" : ""
        return "\(done.count)/\(study.rows.count) rows done" + (failed.isEmpty ? "" : ", \(failed.count) failed")
            + "  \(running.count) running"
            + (running.first.map { ": \($0.name) \(Int(100 * shares[0])) %" } ?? "")
            + "  \(Int(100 * now / max(all, 1))) % of the work" + eta
    }

    /// How much of a row's work is done, by its records.
    private func share(of row: StudyRow, in study: Study) -> Double {
        let directory = RunDirectory(study.directory.run(row.name))
        let run = lastToken(directory)
        let branches = row.configuration.length.branches.reduce(0) { sum, goal in
            sum + max(0, lastToken(directory.branch(endingAt: goal)) - row.configuration.decayStart(ofRunTo: goal))
        }
        return min(1, Double(run + branches) / Double(max(row.trainedTokens, 1)))
    }

    private func lastToken(_ directory: RunDirectory) -> Int {
        (try? JSONLinesSink.lastRecord(of: directory.metrics))??.tokens ?? 0
    }
}
