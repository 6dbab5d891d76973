import Configuration
import Diagnostics
import Foundation
import Platform
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
    func show(_ study: Study, _ queue: StudyQueue, running: [StudyRow], failed: Int) {
        let done = study.rows.filter { row in ((try? queue.outcome(of: row)) ?? nil) != nil }
        let flopsDone = done.reduce(0) { $0 + $1.flops }
        let before = flopsBefore ?? flopsDone
        flopsBefore = before
        let partly = running.reduce(0.0) { $0 + share(of: $1, in: study) * $1.flops }
        let all = study.rows.reduce(0) { $0 + $1.flops }
        let seconds = (ContinuousClock.now - began) / .seconds(1), rate = (flopsDone + partly - before) / seconds
        let eta = rate > 0 ? "  ETA \(duration((all - flopsDone - partly) / rate))" : ""
        progress.show(
            "\(done.count)/\(study.rows.count) rows done" + (failed > 0 ? ", \(failed) failed" : "")
                + "  \(running.count) running"
                + (running.first.map { ": \($0.name) \(Int(100 * share(of: $0, in: study))) %" } ?? "")
                + "  \(Int(100 * (flopsDone + partly) / max(all, 1))) % of the work" + eta)
    }

    /// How much of a row's work is done, by its records.
    private func share(of row: StudyRow, in study: Study) -> Double {
        let directory = RunDirectory(study.directory.run(row.name))
        let files =
            [directory.metrics] + row.configuration.length.branches.map { directory.branch(endingAt: $0).metrics }
        var tokens = 0
        for file in files {
            guard let span = recordedTokens(file) else { continue }
            tokens += span
        }
        return min(1, Double(tokens) / Double(max(row.trainedTokens, 1)))
    }

    /// Tokens from before the first record of a file to its last.
    private func recordedTokens(_ path: String) -> Int? {
        guard let file = try? RegularFile(path), file.size > 0,
            let head = try? file.bytes(from: 0, to: min(file.size, 1 << 14)),
            let tail = try? file.bytes(from: max(0, file.size - (1 << 14)), to: file.size)
        else { return nil }
        func tokens(_ line: some Sequence<UInt8>) -> (tokens: Int, step: Int)? {
            let record = try? StepRecord.decoder().decode(StepRecord.self, from: Data(line))
            return record.map { ($0.tokens, $0.step) }
        }
        let newline = UInt8(ascii: "\n")
        guard let first = head.split(separator: newline).first.flatMap(tokens),
            let last = tail.split(separator: newline).suffix(2).reversed().lazy.compactMap(tokens).first
        else { return nil }
        return last.tokens - (first.step == 1 ? 0 : first.tokens)
    }
}
