import Configuration
import Diagnostics
import Foundation
import Parallelism
import RunFormat
import Testing
import Training

/// `run.json` and the line at the start of a run say how ranks work together, as they do it.
struct RunSummaryTests {
    private func summary(ranks: Int, _ changes: [String]) throws -> RunSummary {
        let yaml = """
            data: {train: nowhere.txt}
            model: {d_model: 32, layers: 2, heads: 2, context: 32, experts: 4, vocabulary_size: 300}
            batch: {tokens: 256, micro_batch_tokens: 64}
            train: {steps: 8}
            """
        let document = try ConfigurationDocument(yaml: yaml, file: "summary", overrides: changes)
        let configuration = try RunConfiguration(document).resolved(tokenizer: 1)
        return RunSummary(configuration, try JobLayout(configuration, ranks: ranks), kernels: "none", gemmPeak: 1e9)
    }

    private static let all = [
        "parallel.micro_batches_in_flight=2", "parallel.overlap_reduction=true", "parallel.distributed_optimizer=true",
    ]

    @Test func whatIsOffIsOff() throws {
        let summary = try summary(ranks: 2, [])
        #expect(summary.microBatchesInFlight == 1 && !summary.overlapReduction && !summary.distributedOptimizer)
        #expect(summary.sentence(microBatches: 4).contains("of 1 thread, 1 micro-batch in flight; GEMM peak"))
    }

    @Test func whatIsOnIsOn() throws {
        let summary = try summary(ranks: 2, Self.all)
        #expect(summary.microBatchesInFlight == 2 && summary.overlapReduction && summary.distributedOptimizer)
        let sentence = summary.sentence(microBatches: 4)
        #expect(sentence.contains("2 micro-batches in flight, reduction overlapped, optimizer distributed; GEMM peak"))
        #expect(try self.summary(ranks: 2, [Self.all[1]]).distributedOptimizer == false)
        #expect(try self.summary(ranks: 2, [Self.all[2]]).overlapReduction == false)
    }

    /// One rank has nobody to exchange, sum or share with, whatever the configuration asks for.
    @Test func oneRankDoesNoneOfIt() throws {
        let summary = try summary(ranks: 1, Self.all)
        #expect(summary.microBatchesInFlight == 1 && !summary.overlapReduction && !summary.distributedOptimizer)
    }

    @Test("what an earlier version wrote is read under present names")
    func earlierVersion() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let run = tests.appending(path: "Fixtures/format-1/run"), decoder = JSONDecoder.ofRecords()
        let summary = try decoder.decode(RunSummary.self, from: Data(contentsOf: run.appending(path: "run.json")))
        #expect(summary.microBatchesInFlight == 1 && summary.ranks == 2)
        let lines = try Data(contentsOf: run.appending(path: "metrics.jsonl")).split(separator: UInt8(ascii: "\n"))
        let records = try lines.map { try decoder.decode(StepRecord.self, from: $0) }
        #expect(records.count == 6 && records.allSatisfy { $0.droppedRatioByLayer.count == 2 })
    }
}
