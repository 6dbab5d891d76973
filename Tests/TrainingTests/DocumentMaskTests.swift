import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Foundation
import HDF5
import Inference
import Parallelism
import RunFormat
import Tensors
import TestSupport
import Testing
import Threading
import Training

/// Runs whose attention ends at the borders of documents.
@Suite("Runs with masked documents", .serialized) struct DocumentMaskTests {
    /// On JSON lines of 20 to 70 tokens, in sequences of 32.
    private func run(in folder: String, _ name: String, _ changes: [String] = []) throws -> TinyRun {
        let run = try TinyRun(
            in: folder,
            [
                "run.directory=\(folder)/\(name)", "data.train=\(folder)/text.jsonl", "data.document_mask=true",
                "data.validation=hash 0.1",
            ] + changes)
        let lines = (0..<300).map { index in
            let more = String(repeating: "and so on, ", count: index % 5)
            return "{\"text\": \"Document \(index), \(more)\(index).\"}\n"
        }
        try run.write(lines.joined(), to: "text.jsonl")
        return run
    }

    @Test("every layout, a resumed run and a replay have the same bits") func layouts() throws {
        try inScratchFolder { folder in
            for ranks in [1, 3] { try run(in: folder, "ranks-\(ranks)").train(ranks: ranks) }
            let resumed = try run(in: folder, "run")
            #expect(try resumed.refusal(failingAfter: 5)?.status == .temporaryFailure)
            try resumed.train(ranks: 4)
            let one = try resumed.records(of: "ranks-1")
            for other in ["ranks-3", "run"] {
                let records = try resumed.records(of: other)
                #expect(records.map(\.parameterDigest) == one.map(\.parameterDigest))
                #expect(records.map(\.validationLoss) == one.map(\.validationLoss))
            }
            let findings = try replaying(resumed.directory.path) { try $0.verify() }
            #expect(findings.isConfirmed)
            try run(in: folder, "whole", ["data.document_mask=false"]).train()
            let whole = try resumed.records(of: "whole")
            #expect(zip(whole, one).allSatisfy { $0.loss != $1.loss && $0.lossDiffersLittle(from: $1) })
        }
    }

    private func replaying<Answer: Sendable>(
        _ run: String, _ body: @escaping @Sendable (Replay) throws -> Answer
    ) throws -> Answer {
        try VirtualRanks.run(1) { world in try body(Replay(run: run, step: 8, threads: 1, on: world) { _ in }) }[0]
    }

    @Test("a micro-batch that is replayed alone has its documents' starts") func inspection() throws {
        try inScratchFolder { folder in
            let run = try run(in: folder, "run"), path = folder + "/micro-batch.h5"
            try run.train()
            try replaying(run.directory.path) { try $0.inspect(microBatch: 1, to: path) }
            let root = try HDF5File.open(path).root()
            func values(_ name: String) throws -> [Int32] {
                let values = Vector<Int32>(count: 64)
                try root.dataset(name).read(into: values, offset: [0], shape: [64])
                return values.array
            }
            let inputs = try values("inputs"), starts = try values("document_starts")
            for t in 0..<64 where t % 32 > 0 {
                let isBorder = inputs[t - 1] == 256
                #expect(starts[t] == (isBorder ? Int32(t % 32) : starts[t - 1]))
            }
            #expect(inputs.contains(256) && starts[0] == 0 && starts[32] == 0)
        }
    }

    @Test("a run does not go on with the other mask, unless that is allowed") func changes() throws {
        try inScratchFolder { folder in
            let run = try run(in: folder, "run")
            #expect(try run.refusal(failingAfter: 4)?.status == .temporaryFailure)
            let refused = try run.refusal(["data.document_mask=false"])
            #expect(refused?.status == .configuration)
            #expect(refused?.message.contains("data.document_mask: true → false") == true)
            #expect(try run.refusal(["data.document_mask=false"], allowing: ["data.document_mask"]) == nil)
        }
    }

    @Test("evaluation of a checkpoint masks as its run did") func evaluation() throws {
        try inScratchFolder { folder in
            let run = try run(in: folder, "run", ["data.validation=\(folder)/held.jsonl"])
            try run.write((0..<40).map { "{\"text\": \"Held out, \($0).\"}\n" }.joined(), to: "held.jsonl")
            try run.train()
            let recorded = try #require(try run.records().last?.validationLoss)
            let checkpoint = "\(run.directory.checkpoints)/step-00000008"
            let found = try VirtualRanks.run(2) { world in
                let model = try StoredModel(CheckpointReader(checkpoint, sharedBy: world), threads: 1, on: world)
                return try model.evaluate(
                    ["\(folder)/held.jsonl"], in: folder + "/evaluation", on: world,
                    unless: RunControl(world)
                ) { _ in }.loss
            }
            #expect(found.allSatisfy { $0 == recorded })
        }
    }

    @Test("one document alone has no border and is refused, beside others it is not") func oneDocument() throws {
        try inScratchFolder { folder in
            let run = try run(in: folder, "run")
            let refused = try run.refusal(["data.train=\(folder)/text.txt", "data.validation=none"])
            #expect(refused?.status == .data)
            #expect(refused?.message.contains("holds one document, without a border") == true)
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/run/metrics.jsonl"))
            let mixed = "data.train=[{paths: \(folder)/text.txt, weight: 1}, {paths: \(folder)/text.jsonl, weight: 1}]"
            #expect(try run.refusal([mixed, "data.validation=none"]) == nil)
        }
    }

    @Test("attention within documents counts less work") func work() throws {
        try inScratchFolder { folder in
            let dropless = "routing.capacity_factor=4"
            let whole = try run(in: folder, "whole", ["data.document_mask=false", dropless])
            try whole.train()
            let masked = try run(in: folder, "run", [dropless])
            try masked.train()
            func flopsPerToken(_ record: StepRecord) -> Double {
                record.mfu * record.gemmPeakFlops / record.tokensPerSecond
            }
            for (a, b) in zip(try whole.records(of: "whole"), try masked.records(of: "run")) {
                // Of 12 · 2 layers · 32 columns a pair, 16.5 pairs a token at most.
                let saved = flopsPerToken(a) - flopsPerToken(b)
                #expect(saved > 12 * 2 * 32 * 1 && saved < 12 * 2 * 32 * 15.5)
            }
        }
    }
}

extension StepRecord {
    fileprivate func lossDiffersLittle(from other: StepRecord) -> Bool { abs(loss - other.loss) < 0.2 * loss }
}
