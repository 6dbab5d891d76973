import TestSupport
import Checkpoints
import Data
import Diagnostics
import Foundation
import RunFormat
import Testing
import Training

/// Runs on a mixture of two texts.
@Suite("Runs on mixtures", .serialized) struct MixtureRunTests {
    private func run(
        in folder: String, _ name: String, weights: (Double, Double) = (3, 1), more: String = "",
        held: String = "tail 0.1"
    ) throws -> TinyRun {
        let run = try TinyRun(
            in: folder,
            [
                "run.directory=\(folder)/\(name)", "data.validation=\(held)",
                "data.train=[{paths: \(folder)/text.txt, weight: \(weights.0)}, "
                    + "{paths: \(folder)/b.txt, weight: \(weights.1)\(more)}]",
            ])
        try run.write((0..<60).map { "\($0): other lines, shorter ones.\n" }.joined(), to: "b.txt")
        return run
    }

    @Test("every layout and a resumed run have the same bits and the same figures of each source") func layouts() throws
    {
        try inScratchFolder { folder in
            for ranks in [1, 2, 4] { try run(in: folder, "ranks-\(ranks)").train(ranks: ranks) }
            let resumed = try run(in: folder, "resumed")
            #expect(try resumed.refusal(failingAfter: 5)?.status == .temporaryFailure)
            try resumed.train(ranks: 4)
            let one = try resumed.records(of: "ranks-1")
            #expect(one.count == 8)
            for other in ["ranks-2", "ranks-4", "resumed"] {
                let records = try resumed.records(of: other)
                #expect(records.map(\.parameterDigest) == one.map(\.parameterDigest))
                #expect(records.map(\.lossBySource) == one.map(\.lossBySource))
                #expect(records.map(\.tokensBySource) == one.map(\.tokensBySource))
            }
        }
    }

    @Test("tokens of the sources add up to the run's, and their losses to its loss") func figures() throws {
        try inScratchFolder { folder in
            let run = try run(in: folder, "run")
            try run.train(ranks: 1)
            var before = [0, 0]
            for record in try run.records(of: "run") {
                let tokens = try #require(record.tokensBySource), losses = try #require(record.lossBySource)
                #expect(tokens.reduce(0, +) == record.tokens && abs(tokens[1] - record.tokens / 4) <= 32)
                let mine = zip(tokens, before).map { Double($0 - $1) }
                let sum = zip(mine, losses).reduce(0) { $0 + $1.0 * ($1.1 ?? 0) }
                #expect(zip(mine, losses).allSatisfy { ($0 > 0) == ($1 != nil) })
                #expect(abs(sum / 256 - record.loss) < 1e-9, "step \(record.step)")
                before = tokens
            }
            // A run of one source says nothing of sources.
            try TinyRun(in: folder, ["run.directory=\(folder)/single"]).train(ranks: 1)
            #expect(try run.records(of: "single").allSatisfy { $0.tokensBySource == nil && $0.lossBySource == nil })
        }
    }

    @Test("validation losses of the sources are those of every layout and add up to the run's") func validation() throws
    {
        try inScratchFolder { folder in
            for ranks in [1, 3] { try run(in: folder, "ranks-\(ranks)", held: "tail 0.3").train(ranks: ranks) }
            let run = try run(in: folder, "cut", held: "tail 0.3")
            let one = try #require(try run.records(of: "ranks-1").last)
            let losses = (one.validationLossBySource ?? []).compactMap { $0 }
            try #require(losses.count == 2)
            #expect(try run.records(of: "ranks-3").last?.validationLossBySource == one.validationLossBySource)
            // Windows of 32 tokens in the last three tenths of each text.
            let windows = try ["train-1", "train-2"].map { name in
                let count = try TokenFile("\(folder)/ranks-1/data/\(name).tokens").tokenCount
                return Double((Int((Double(count) * 0.3).rounded()) - 1) / 32)
            }
            let mean = (windows[0] * losses[0] + windows[1] * losses[1]) / (windows[0] + windows[1])
            #expect(abs(mean - (one.validationLoss ?? 0)) < 1e-9 && abs(losses[0] - losses[1]) > 1e-3)
            // The first window alone is of one source.
            try run.train(["train.validation_tokens=32"])
            let cut = try #require(try run.records(of: "cut").last?.validationLossBySource)
            #expect(cut.count == 2 && cut.count { $0 == nil } == 1)
            // Held-out files of their own are of no source.
            let files = try self.run(in: folder, "files", held: "\(folder)/text.txt")
            try files.train()
            #expect(try run.records(of: "files").allSatisfy { $0.validationLossBySource == nil })
        }
    }

    @Test("a source that runs out is refused before the first step, unless it is repeated") func runningOut() throws {
        try inScratchFolder { folder in
            let refused = try #require(try run(in: folder, "run", weights: (1, 1000)).refusal())
            #expect(refused.status == .data && refused.message.contains("data.train[1] (\(folder)/b.txt) runs out"))
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/run/metrics.jsonl"))
            #expect(try run(in: folder, "run", weights: (1, 1000), more: ", repeat: true").refusal() == nil)
        }
    }

    @Test("a run does not go on with another mixture, and says so when a source has changed") func changes() throws {
        try inScratchFolder { folder in
            #expect(try run(in: folder, "run").refusal(failingAfter: 5)?.status == .temporaryFailure)
            let refused = try run(in: folder, "run", weights: (2, 1)).refusal()
            #expect(refused?.status == .configuration && refused?.message.contains("data.train: [{") == true)
            let changed = try run(in: folder, "run")
            let before = try #require(try changed.checkpointRecord().extras["train_data"])
            #expect(before.components(separatedBy: "; ").count == 2)
            try changed.write(
                "one more line, and so another source\n" + String(repeating: "0123456789\n", count: 300), to: "b.txt")
            try changed.train()
            let after = try #require(try changed.checkpointRecord().extras["train_data"])
            #expect(
                after.components(separatedBy: "; ")[0] == before.components(separatedBy: "; ")[0] && after != before)
        }
    }
}
