package import Diagnostics
import Platform
import RunFormat
import Training

/// Trains the rows of a study that no other worker has claimed, several at a time, until none is left.
package final class StudyWorker {
    private let study: Study
    private let queue: StudyQueue
    private let launcher: StudyLauncher
    private let display: StudyDisplay
    private var jobs: [(job: StudyJob, lock: RunLock)] = []
    /// Rows that failed here, with what they said.
    package private(set) var failures: [(row: String, reason: String)] = []
    /// Not to be tried before this moment, because another job had the run directory.
    private var retries: [String: ContinuousClock.Instant] = [:]

    package init(_ study: Study, _ queue: StudyQueue, _ launcher: StudyLauncher, _ display: StudyDisplay) {
        (self.study, self.queue, self.launcher, self.display) = (study, queue, launcher, display)
    }

    /// Returns when every row is done or has failed.
    /// - Parameter limit: jobs at a time
    /// - Throws: `temporaryFailure` when asked to leave: the jobs have saved
    package func run(atMost limit: Int) throws(Failure) {
        while true {
            try collect()
            if SignalRequests.pending.contains(.stop) { try stop() }
            let waiting = try openRows()
            display.show(study, open: waiting, running: jobs.map(\.job.row), failed: failures.map(\.row))
            if jobs.isEmpty, waiting.isEmpty { return }
            while jobs.count < limit, try beginOne(of: waiting) {}
            usleep(100_000)
        }
    }

    /// Rows that are neither done nor given up.
    private func openRows() throws(Failure) -> [StudyRow] {
        var open: [StudyRow] = []
        for row in study.rows where !failures.contains(where: { $0.row == row.name }) {
            if try queue.outcome(of: row) == nil { open.append(row) }
        }
        return open
    }

    private func mayBegin(_ row: StudyRow) -> Bool {
        !jobs.contains { $0.job.row.name == row.name } && retries[row.name].map { $0 < .now } ?? true
    }

    /// Begins the first of the rows that is free.
    /// - Returns: whether there was one
    private func beginOne(of rows: [StudyRow]) throws(Failure) -> Bool {
        for row in rows where mayBegin(row) {
            retries[row.name] = .now + .seconds(2)
            guard let lock = try queue.claim(row, isCancelled: { SignalRequests.pending.contains(.stop) }) else {
                continue
            }
            // Another worker may have done it between the two looks.
            guard try queue.outcome(of: row) == nil else {
                lock.release()
                continue
            }
            study.shareTokens(with: row)
            let job = try StudyJob(row, in: study.directory.run(row.name), of: study.directory, launcher)
            jobs.append((job, lock))
            display.log("begins: \(row.name)")
            return true
        }
        return false
    }

    private func collect() throws(Failure) {
        for (job, lock) in jobs {
            guard let ending = job.ending() else { continue }
            jobs.removeAll { $0.job.row.name == job.row.name }
            switch ending {
            case .finished(let outcome):
                try queue.finish(job.row, outcome)
                try queue.writeTable()
                display.finished(job.row, outcome)
            case .postponed: retries[job.row.name] = .now + .seconds(5)
            case .failed(let reason):
                failures.append((job.row.name, reason))
                display.log("failed: \(job.row.name): \(reason) (\(job.log))")
            }
            lock.release()
        }
    }

    /// Asks all jobs to save, and leaves when they have.
    private func stop() throws(Failure) {
        display.log("asked to leave: waiting until \(jobs.count) job\(jobs.count == 1 ? " has" : "s have") saved")
        var next = ContinuousClock.now
        while !jobs.isEmpty {
            if next <= .now {
                jobs.forEach { $0.job.askToStop() }
                next = .now + .seconds(1)
            }
            try collect()
            usleep(50_000)
        }
        throw Failure(
            .temporaryFailure, "asked to leave: all jobs have saved", advice: "start the same command again to go on")
    }
}
