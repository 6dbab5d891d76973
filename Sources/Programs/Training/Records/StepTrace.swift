package import Collectives
package import Configuration
package import Diagnostics
import Foundation
import Parallelism
import Platform
import RunFormat
package import Threading

/// Which steps of a job are traced: `10:13` (steps 10 to 13), or `3` (three steps, the first of the job left out).
package enum TracedSteps: Sendable, Equatable {
    case count(Int)
    case range(ClosedRange<Int>)

    /// Nil if `text` is neither.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        switch (parts.count, parts.first ?? nil, parts.last ?? nil) {
        case (1, let count?, _) where count > 0: self = .count(count)
        case (2, let first?, let last?) where first > 0 && first <= last: self = .range(first...last)
        default: return nil
        }
    }

    /// - Parameter first: the first step of the job
    func contains(_ step: Int, first: Int) -> Bool {
        switch self {
        case .count(let count): step > first && step - first <= count
        case .range(let range): range.contains(step)
        }
    }
}

/// `trace.json` of a run: what every rank did in the traced steps. Written anew after each, whole, so that it can be read
/// however the run ends. One on every rank.
package final class StepTrace {
    package let tracer: Tracer
    private let steps: TracedSteps
    private let directory: RunDirectory
    private let agreement: Agreement
    private let threads: Int
    private var document = TraceDocument()
    private var firstStep: Int?

    /// **Collective**.
    package init(
        _ steps: TracedSteps, _ configuration: RunConfiguration, on world: any Communicator
    ) throws(Failure) {
        self.steps = steps
        threads = configuration.parallel.threadsPerRank
        tracer = Tracer(threads: threads)
        directory = RunDirectory(configuration.directory)
        agreement = Agreement(ranks: world)
        let hosts = try agreement.allGather(Array(ProcessInfo.processInfo.hostName.utf8))
        for (rank, host) in hosts.enumerated() {
            document.name(rank: rank, host: String(decoding: host, as: UTF8.self))
            for thread in 0..<threads {
                document.name(track: 1 + thread, ofRank: rank, "tasks of thread \(thread)")
            }
        }
        // Ranks leave a barrier together: the same time zero for all.
        try agreement.barrier()
        tracer.setZero()
    }

    func begin(_ step: Int) {
        if firstStep == nil {
            for (index, other) in tracer.others.enumerated() {
                for rank in 0..<agreement.ranks.size {
                    document.name(track: 1 + threads + index, ofRank: rank, other.name)
                }
            }
        }
        firstStep = firstStep ?? step
        tracer.isRecording = steps.contains(step, first: firstStep ?? step)
    }

    /// Gathers and writes what the step was made of. **Collective** if the step was traced.
    func end() throws(Failure) {
        guard tracer.isRecording else { return }
        tracer.isRecording = false
        // First the rank's steps, then its team's tasks, then its other threads.
        let rank = agreement.ranks.rank
        let lost = tracer.others.reduce(tracer.droppedEvents + tracer.droppedTaskEvents) { $0 + $1.droppedEvents }
        let tracks = [tracer.drain()] + tracer.drainTasks() + tracer.others.map { $0.drain() }
        let events = tracks.enumerated().map { TraceDocument.events($1, rank: rank, track: $0) }
        let mine = "\(lost)\n" + events.filter { !$0.isEmpty }.joined(separator: ",\n")
        let all = try agreement.allGather(Array(mine.utf8))
        try agreement.onRankZero { () throws(Failure) in
            for answer in all {
                let parts = String(decoding: answer, as: UTF8.self).split(separator: "\n", maxSplits: 1)
                document.add(parts.count > 1 ? String(parts[1]) : "", lost: parts.first.flatMap { Int($0) } ?? 0)
            }
            try directory.write(document.json, to: directory.trace)
        }
    }
}
