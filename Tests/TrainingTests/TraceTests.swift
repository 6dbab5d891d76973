import TestSupport
import Collectives
import Configuration
import Data
import Foundation
import Kernels
import Model
import Parallelism
import RunFormat
import Testing
import Threading
import Training

/// `trace.json` is what Chrome and Perfetto read, and accounts for the steps.
struct TraceTests {
    struct Event: Decodable {
        var name: String
        var ph: String
        var pid: Int
        var tid: Int
        var ts: Double?
        var dur: Double?
        var args: Arguments?

        var end: Double { (ts ?? 0) + (dur ?? 0) }
        /// Timestamps have three decimals of a microsecond.
        func encloses(_ other: Event) -> Bool {
            pid == other.pid && tid == other.tid && covers(other)
        }
        func covers(_ other: Event) -> Bool {
            (ts ?? 0) <= (other.ts ?? 0) + 0.002 && other.end <= end + 0.002
        }
    }

    struct Arguments: Decodable {
        var number: Int?
        var bytes: Int?
        var name: String?
    }

    struct Document: Decodable { var traceEvents: [Event] }

    private func trace(
        _ steps: TracedSteps, ranks: Int, threads: Int = 1, in folder: String, _ changes: [String] = []
    ) throws -> [Event] {
        let run = try TinyRun(in: folder, changes)
        let configuration = try run.configuration(["parallel.threads_per_rank=\(threads)"])
        _ = try VirtualRanks.run(ranks) { world in
            var options = TrainingOptions.ofTests
            options.trace = try StepTrace(steps, configuration, on: world)
            let setup = try TrainingSetup(configuration, on: world, options: options, tracer: options.trace?.tracer) {
                _ in
            }
            try TrainingRun(setup, on: world, progress: ProgressDisplay()).run()
        }
        let bytes = try Data(contentsOf: URL(filePath: run.directory.trace))
        return try JSONDecoder().decode(Document.self, from: bytes).traceEvents
    }

    @Test func everyRanksStepsAreThereAndNest() throws {
        try inScratchFolder { folder in
            let events = try trace(.range(3...6), ranks: 2, in: folder)
            #expect(Set(events.filter { $0.ph == "M" }.map(\.name)) == ["process_name", "thread_name"])
            let spans = events.filter { $0.ph == "X" }
            for rank in 0..<2 {
                let mine = spans.filter { $0.pid == rank && $0.tid == 0 }
                let named = Dictionary(grouping: mine, by: \.name), steps = named["step"] ?? []
                #expect(steps.compactMap(\.args?.number) == [3, 4, 5, 6])
                let expected: Set = [
                    "exchange", "waiting", "reduction", "matrix products", "attention backward", "optimizer",
                ]
                #expect(expected.subtracting(named.keys).isEmpty)
                // Of two spans of one track either one lies in the other or they do not touch.
                for (a, b) in zip(mine, mine.dropFirst()) {
                    #expect(a.encloses(b) || a.end <= (b.ts ?? 0) + 0.002, "\(a) and \(b) overlap")
                }
                #expect(mine.allSatisfy { span in steps.contains { $0.encloses(span) } })
            }
        }
    }

    /// Of two micro-batches in flight each has a track, and while one computes the other does not.
    @Test func microBatchesInFlightTakeTurns() throws {
        try inScratchFolder { folder in
            let events = try trace(.range(2...4), ranks: 2, in: folder, ["parallel.micro_batches_in_flight=2"])
            #expect(events.filter { $0.name == "thread_name" }.map(\.tid).sorted() == [0, 0, 1, 1, 2, 2])
            for rank in 0..<2 {
                // Track 1 has the thread's tasks.
                let mine = events.filter { $0.ph == "X" && $0.pid == rank && $0.tid != 1 }
                let named = Dictionary(grouping: mine, by: \.name)
                // Three steps of two rounds.
                #expect(named["micro-batch"]?.map(\.tid).sorted() == [0, 0, 0, 2, 2, 2])
                let computing = ((named["matrix products"] ?? []) + (named["loss"] ?? [])).sorted { $0.end < $1.end }
                for (a, b) in zip(computing, computing.dropFirst()) where a.tid != b.tid {
                    #expect(a.end <= (b.ts ?? 0) + 0.002, "\(a) and \(b) overlap")
                }
                #expect(Set(named["matrix products"]?.map(\.tid) ?? []) == [0, 2])
                #expect(named["turn wait"]?.isEmpty == false)
            }
        }
    }

    /// Sums in the background have a track: every bucket waits and is summed, within a step, and all bytes are told.
    @Test(arguments: [1, 2]) func theBackgroundReductionHasATrack(microBatchesInFlight: Int) throws {
        try inScratchFolder { folder in
            let changes = [
                "parallel.overlap_reduction=true", "parallel.micro_batches_in_flight=\(microBatchesInFlight)",
                "model.vocabulary_size=300",
            ]
            let model = try TinyRun(in: folder, changes).resolved().model
            let events = try trace(.range(2...4), ranks: 2, in: folder, changes)
            let track = 1 + microBatchesInFlight
            let names = events.filter { $0.name == "thread_name" && $0.args?.name == "gradient reduction" }
            #expect(names.map(\.tid) == [track, track])
            for rank in 0..<2 {
                let mine = events.filter { $0.ph == "X" && $0.pid == rank }
                let sums = mine.filter { $0.tid == track }
                let steps = mine.filter { $0.tid == 0 && $0.name == "step" }
                #expect(steps.compactMap(\.args?.number) == [2, 3, 4])
                #expect(sums.allSatisfy { sum in steps.contains { $0.covers(sum) } })
                for step in steps {
                    let named = Dictionary(grouping: sums.filter { step.covers($0) }, by: \.name)
                    let buckets = named["reduction"] ?? []
                    #expect(Set(named.keys) == ["reduction", "waiting"])
                    #expect(buckets.map(\.args?.number) == [0, 1])
                    #expect(named["waiting"]?.map(\.args?.number) == [0, 1])
                    // Sums of exact mode are 64-bit integers.
                    let bytes = buckets.reduce(0) { $0 + ($1.args?.bytes ?? 0) }
                    #expect(bytes == 8 * ParameterLayout(model, ExpertShard(rank, of: 2)).count)
                }
            }
        }
    }

    /// What a step and a micro-batch consist of is told to nine tenths; the best step counts, because the system may interrupt
    /// any of them anywhere.
    @Test func spansCoverTheSteps() throws {
        try inScratchFolder { folder in
            let spans = try trace(.count(7), ranks: 2, in: folder).filter { $0.ph == "X" && $0.tid == 0 }
            func coverage(_ whole: String, by parts: Set<String>, rank: Int) -> Double {
                spans.filter { $0.name == whole && $0.pid == rank }.map { outer in
                    let inner = spans.filter { parts.contains($0.name) && outer.encloses($0) }
                    return inner.reduce(0) { $0 + ($1.dur ?? 0) } / (outer.dur ?? 1)
                }.max() ?? 0
            }
            for rank in 0..<2 {
                let parts: Set = ["micro-batch", "norm and digests", "optimizer"]
                // Waiting and reduction outside of micro-batches count, those inside are the micro-batch's.
                let outside = spans.filter { ["waiting", "reduction"].contains($0.name) && $0.pid == rank }
                    .filter { span in !spans.contains { $0.name == "micro-batch" && $0.encloses(span) } }
                let steps = spans.filter { $0.name == "step" && $0.pid == rank }.map { step in
                    let inner = spans.filter { parts.contains($0.name) && step.encloses($0) }
                    let between = outside.filter { step.encloses($0) }
                    return (inner + between).reduce(0) { $0 + ($1.dur ?? 0) } / (step.dur ?? 1)
                }
                #expect(steps.count == 7 && (steps.max() ?? 0) >= 0.9 && (steps.max() ?? 2) <= 1.001)
                #expect(coverage("micro-batch", by: ["forward", "loss", "backward"], rank: rank) >= 0.9)
            }
        }
    }

    /// Each thread's tasks lie within the span of their kernel, one after the other.
    @Test func everyThreadHasATrack() throws {
        try inScratchFolder { folder in
            let events = try trace(.range(2...3), ranks: 2, threads: 2, in: folder)
            for rank in 0..<2 {
                let mine = events.filter { $0.pid == rank }
                #expect(Set(mine.filter { $0.name == "thread_name" }.map(\.tid)) == [0, 1, 2])
                let kernels = mine.filter { $0.ph == "X" && $0.tid == 0 }
                for thread in 1...2 {
                    let tasks = mine.filter { $0.ph == "X" && $0.tid == thread }
                    #expect(thread == 2 || !tasks.isEmpty, "the thread that hands tasks out runs some")
                    for task in tasks {
                        #expect(kernels.contains { $0.name == task.name && $0.covers(task) }, "\(task) is in no kernel")
                    }
                    for (a, b) in zip(tasks, tasks.dropFirst()) { #expect(a.end <= (b.ts ?? 0) + 0.002) }
                }
            }
        }
    }

    @Test func stepsAreGivenAsRangeOrCount() {
        #expect(TracedSteps("10:13") == .range(10...13))
        #expect(TracedSteps("4") == .count(4))
        for wrong in ["", "0", "-1", "3:2", "0:2", "1:2:3", "a", "1:", ":"] { #expect(TracedSteps(wrong) == nil) }
    }
}
