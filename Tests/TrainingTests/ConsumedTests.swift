import TestSupport
import Checkpoints
import Configuration
import Data
import Diagnostics
import Foundation
import Kernels
import Platform
import RunFormat
import Tensors
import Testing
import Threading
import Training

@Suite("Consumed tokens and sequences", .serialized) struct ConsumedTests {
    private static let change = ["batch.tokens=512"]

    /// A run whose parameters never change: its losses tell which sequences it drew.
    private func reader(in folder: String, _ name: String, _ changes: [String] = []) throws -> TinyRun {
        try TinyRun(
            in: folder, ["run.directory=\(folder)/\(name)", "optimizer.learning_rate=0"] + changes,
            length: "tokens: 3072")
    }

    @Test("another batch goes on with the next sequence, and none is skipped or repeated") func dataOrder() throws {
        try inScratchFolder { folder in
            try reader(in: folder, "even").train()
            let run = try reader(in: folder, "changed")
            #expect(try run.refusal(failingAfter: 4)?.status == .temporaryFailure)
            #expect(
                try run.refusal(Self.change, allowing: ["batch.tokens"], failingAfter: 6)?.status == .temporaryFailure)
            #expect(try run.records(of: "changed").map(\.tokens) == [256, 512, 768, 1280, 1792, 2304])
            try run.train(["batch.tokens=128"], allowing: ["batch.tokens"])
            let (even, changed) = (try run.records(of: "even"), try run.records(of: "changed"))
            // The last checkpoint before the failure was that of step 3: steps 4 to 6 of 512 tokens are gone, and 128 follow.
            #expect(changed.map(\.tokens) == [256, 512, 768] + (1...18).map { 768 + 128 * $0 })
            #expect(changed.map(\.sequences) == changed.map { $0.tokens / 32 })
            for (step, record) in even.enumerated().dropFirst(3) {
                let halves = changed[(2 * step - 3)...(2 * step - 2)].map(\.loss)
                #expect(abs(record.loss - (halves[0] + halves[1]) / 2) < 1e-9, "step \(step + 1)")
            }
            #expect(Set(even.map(\.loss)).count == even.count)
        }
    }

    @Test("the larger batch of a run that goes on holds the sequences of two smaller ones") func largerBatch() throws {
        try inScratchFolder { folder in
            try reader(in: folder, "even").train()
            let run = try reader(in: folder, "changed")
            #expect(try run.refusal(failingAfter: 4)?.status == .temporaryFailure)
            try run.train(Self.change, allowing: ["batch.tokens"])
            let (even, changed) = (try run.records(of: "even"), try run.records(of: "changed"))
            #expect(changed.map(\.tokens) == [256, 512, 768, 1280, 1792, 2304, 2816, 3328])
            for step in 3..<7 {
                let both = (even[2 * step - 3].loss + even[2 * step - 2].loss) / 2
                #expect(abs(changed[step].loss - both) < 1e-9, "step \(step + 1)")
            }
        }
    }

    @Test("schedule, end and cadence in tokens follow from the tokens consumed") func schedule() throws {
        try inScratchFolder { folder in
            let changes = [
                "schedule.kind=wsd", "schedule.warmup_tokens=1024", "schedule.decay_tokens=1024",
                "checkpoint.every_steps=0", "checkpoint.every_tokens=768", "checkpoint.keep=9",
            ]
            let even = try TinyRun(in: folder, changes + ["run.directory=\(folder)/even"], length: "tokens: 2816")
            try even.train()
            let run = try TinyRun(in: folder, changes, length: "tokens: 2816")
            #expect(try run.refusal(failingAfter: 4)?.status == .temporaryFailure)
            try run.train(Self.change, allowing: ["batch.tokens"])
            let rates = Dictionary(
                uniqueKeysWithValues: try even.records(of: "even").map { ($0.tokens, $0.learningRate) })
            let found = try run.records()
            #expect(found.map(\.tokens) == [256, 512, 768, 1280, 1792, 2304, 2816])
            for record in found { #expect(record.learningRate == rates[record.tokens], "\(record.tokens) tokens") }
            // 768, 1536 and 2304 tokens are passed in the steps that end at 768, 1792 and 2304; 7 is the last.
            let saved = CheckpointFolder(run.directory.checkpoints).published.map(\.step)
            #expect(saved == [3, 5, 6, 7])
            let last = try run.checkpointRecord()
            #expect((last.tokens, last.sequences, last.dataPosition) == (2816, 88, 44))
        }
    }

    @Test("a run of `train.steps` ends after these steps, and its schedule after their tokens") func steps() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["schedule.kind=cosine", "schedule.final_share=0"])
            #expect(try run.refusal(failingAfter: 4)?.status == .temporaryFailure)
            try run.train(Self.change, allowing: ["batch.tokens"])
            let records = try run.records()
            #expect(records.map(\.tokens).last == 768 + 5 * 512 && records.count == 8)
            let expected = 1e-3 * 0.5 * (1 + cos(Double.pi * 1280 / 3328))
            #expect(abs(records[3].learningRate - expected) < 1e-15)
        }
    }

    @Test("checkpoints that do not store sequences count steps of their own batch") func older() throws {
        try inScratchFolder { folder in
            try reader(in: folder, "even").train()
            for name in ["new", "old"] {
                let run = try TinyRun(
                    in: folder, ["run.directory=\(folder)/\(name)", "optimizer.learning_rate=0"], length: "tokens: 3072"
                )
                #expect(try run.refusal(failingAfter: 4)?.status == .temporaryFailure)
            }
            let old = try TinyRun(in: folder, ["optimizer.learning_rate=0"], length: "tokens: 3072")
            try FileManager.default.moveItem(atPath: folder + "/old", toPath: old.directory.path)
            try old.alter(3) { record in record.sequences = nil }
            #expect(try old.checkpointRecord(3).sequences == nil)
            try old.train(Self.change, allowing: ["batch.tokens"])
            let run = try reader(in: folder, "new")
            try run.train(Self.change, allowing: ["batch.tokens"])
            #expect(try old.records().map(\.loss) == run.records(of: "new").map(\.loss))
            #expect(try old.records().map(\.tokens) == run.records(of: "new").map(\.tokens))
        }
    }

    @Test("a decay branched off with another batch ends after its tokens") func branch() throws {
        try inScratchFolder { folder in
            let trunk = try TinyRun(in: folder, length: "tokens: 2048")
            try trunk.train()
            let record = try trunk.checkpointRecord(6)
            let branch = try trunk.configuration(Self.change).branchOverrides(from: record, decayTokens: 1024)
            #expect(branch == ["schedule.kind=wsd", "schedule.decay_tokens=1024", "train.tokens=2560"])
            try trunk.train(
                Self.change + branch + ["run.directory=\(folder)/branch"],
                start: .branch("\(trunk.directory.checkpoints)/step-00000006"), allowing: ["batch.tokens"])
            #expect(try trunk.records(of: "branch").map(\.tokens) == [2048, 2560])
            #expect(try trunk.records(of: "branch").map(\.learningRate) == [5e-4, 0])
        }
    }

    @Test("sequences of another length: as many as the tokens fill") func context() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train(["train.steps=3"])
            try run.train(["train.steps=4", "model.context=64"], allowing: ["model.context"])
            let last = try run.checkpointRecord()
            #expect((last.step, last.tokens, last.sequences) == (4, 1024, 16))
        }
    }

    @Test(
        "numbers that no training reaches are refused",
        arguments: [(-1, 4), (4, -1), (Int.max, 4), (4, Int.max)] as [(Int, Int)])
    func hostile(tokens: Int, sequences: Int) throws {
        let record = CheckpointRecord(run: "x", step: 3, tokens: tokens, sequences: sequences)
        let failure = #expect(throws: Failure.self) { try Consumed(of: record) }
        #expect(failure?.status == .data && failure?.message.contains("step 3") == true)
        let yaml =
            "data: {train: x}\nmodel: {d_model: 32, layers: 1, heads: 2, context: 32}\n"
            + "batch: {tokens: 4096}\ntrain: {steps: 1}\n"
        for step in [Int.max, -3, 1 << 55] {
            let old = CheckpointRecord(run: "x", step: step, configuration: yaml)
            #expect(throws: Failure.self) { try Consumed(of: old) }
        }
    }
}
