import Configuration
package import Diagnostics
import Foundation
import Model
import Parallelism
import Platform
import RunFormat
import Training

/// What a study will take: before anything is trained.
package struct StudyBill: Codable, Sendable {
    /// One for each row.
    package struct Item: Codable, Sendable {
        package var row: String
        package var activeParameters: Int
        package var totalParameters: Int
        package var tokens: Int
        package var flops: Double
        /// Of one rank.
        package var memoryBytes: Int
        /// Checkpoints that stay.
        package var diskBytes: Int
        package var isDone: Bool
        /// At the rate that steps of this shape were measured with; nil if they were not.
        package var seconds: Double?
    }

    package var items: [Item]
    package var ranks: Int
    package var jobs: Int

    /// - Throws: `configuration` if a row does not fit its ranks
    package init(_ study: Study, _ queue: StudyQueue, jobs: Int, rates: StepRates) throws(Failure) {
        (ranks, self.jobs) = (study.ranks, jobs)
        items = []
        for row in study.rows {
            let layout = try JobLayout(row.resolved, ranks: study.ranks)
            items.append(
                Item(
                    row: row.name, activeParameters: row.cost.activeParameters,
                    totalParameters: row.cost.totalParameters, tokens: row.trainedTokens, flops: row.flops,
                    memoryBytes: MemoryEstimate(row.resolved, layout).total,
                    diskBytes: row.resolved.checkpointBytes * row.resolved.keptCheckpoints,
                    isDone: try queue.outcome(of: row) != nil,
                    seconds: rates.tokensPerSecond[row.shape].map { Double(row.trainedTokens) / $0 }))
        }
    }

    private var left: [Item] { items.filter { !$0.isDone } }

    /// Of the rows that are left, with `jobs` at a time; nil if a rate is missing.
    package var secondsLeft: Double? {
        let seconds = left.compactMap(\.seconds)
        return seconds.count == left.count ? seconds.reduce(0, +) / Double(jobs) : nil
    }

    /// - Parameter columns: of the terminal; nil where there is none
    package func text(columns: Int?) -> String {
        var table = TextTable(["row", "N_act", "N_total", "tokens", "FLOPs", "memory a rank", "disk", "time"])
        for item in items {
            table.add([
                item.row, shortCount(Double(item.activeParameters)), shortCount(Double(item.totalParameters)),
                shortCount(Double(item.tokens)), scientific(item.flops), byteCount(item.memoryBytes),
                byteCount(item.diskBytes), item.isDone ? "done" : item.seconds.map(duration) ?? "–",
            ])
        }
        let time =
            secondsLeft.map {
                "; about \(duration($0)) at the measured rates, \(jobs) job\(jobs == 1 ? "" : "s") at a time"
            } ?? ""
        return table.text(columns: columns) + "\n\n"
            + "\(items.count) rows, \(items.count - left.count) done; left: \(scientific(left.reduce(0) { $0 + $1.flops })) FLOPs, "
            + "\(shortCount(Double(left.reduce(0) { $0 + $1.tokens }))) tokens, "
            + "\(byteCount(items.reduce(0) { $0 + $1.diskBytes })) of checkpoints in all" + time
    }
}

/// Tokens a second of steps of each shape, as `bench step` measures them on the ranks of a job.
package struct StepRates: Codable, Sendable {
    /// By `StudyRow.shape`.
    package var tokensPerSecond: [String: Double] = [:]

    /// Those that were measured before; of another program or machine, perhaps, but near enough.
    package init(of study: Study) {
        guard let file = try? RegularFile(study.directory.rates), let bytes = try? file.contents(limit: 1 << 24),
            let rates = try? JSONDecoder().decode(StepRates.self, from: Data(bytes))
        else { return }
        self = rates
    }

    /// Measures the shapes of all rows that are not done and not measured yet, some seconds each.
    /// - Parameters:
    ///   - study: its rows
    ///   - queue: says which are done
    ///   - launcher: starts the measurements
    ///   - report: takes lines of progress
    /// - Throws: `temporaryFailure` when asked to leave
    package mutating func measure(
        _ study: Study, _ queue: StudyQueue, _ launcher: StudyLauncher, report: (String) -> Void
    ) throws(Failure) {
        for row in study.rows where tokensPerSecond[row.shape] == nil {
            guard try queue.outcome(of: row) == nil else { continue }
            try SignalRequests.throwIfStopRequested(during: "measuring the steps of row \(row.name)")
            report("measuring the steps of row \(row.name)")
            let file = try study.directory.writeConfiguration(of: row)
            tokensPerSecond[row.shape] = try Self.rate(file, row, launcher)
            if let bytes = try? JSONEncoder().encode(self) {
                try replaceFile(study.directory.rates, with: Array(bytes))
            }
        }
    }

    private static func rate(_ file: String, _ row: StudyRow, _ launcher: StudyLauncher) throws(Failure) -> Double {
        struct Answer: Decodable { var tokens_per_second: Double }
        let command = try launcher.command([
            "bench", "step", escapedPath(file), "--steps", "3", "--json",
            "--set", "model.vocabulary_size=\(row.resolved.model.vocabularySize)",
        ])
        let answer: (ending: ChildProcess.Ending, output: [UInt8])
        do {
            answer = try ChildProcess.run(command.program, command.arguments, takesOutput: true)
        } catch {
            throw Failure(.unavailable, error.description)
        }
        let line = answer.output.split(separator: UInt8(ascii: "\n")).last.map { Data($0) } ?? Data()
        guard answer.ending == .exit(0), let figures = try? JSONDecoder().decode(Answer.self, from: line) else {
            throw Failure(.unavailable, "the steps of row \(row.name) cannot be measured (see above)")
        }
        return figures.tokens_per_second
    }
}
