import TestSupport
import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Foundation
import HDF5
import Kernels
import Model
import Parallelism
import Platform
import RunFormat
import Tensors
import Testing
import Threading
import Training

/// `Replay` on one virtual rank.
private func replaying<Answer: Sendable>(
    _ run: TinyRun, step: Int, threads: Int = 1, _ body: @escaping @Sendable (Replay) throws -> Answer
) throws -> Answer {
    let path = run.directory.path
    return try VirtualRanks.run(1) { world in
        try body(Replay(run: path, step: step, threads: threads, on: world) { _ in })
    }[0]
}

@Suite("Replay", .serialized) struct ReplayTests {
    @Test("a run on three ranks is confirmed on one, from a checkpoint and from the beginning") func confirms() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train(ranks: 3)
            let late = try replaying(run, step: 8, threads: 2) { try $0.verify() }
            #expect(late.isConfirmed && (late.first, late.last) == (7, 8) && late.comparedCheckpoints == 1)
            let early = try replaying(run, step: 3) { try $0.verify() }
            #expect(early.isConfirmed && (early.first, early.last) == (1, 3) && early.comparedCheckpoints == 1)
        }
    }

    @Test("names the first figure that differs", arguments: ["loss", "gradient", "parameters", "routes"])
    func names(figure: String) throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train()
            let keys = [
                "loss": "\"loss\":", "gradient": "\"gradient_digest\":\"", "parameters": "\"parameter_digest\":\"",
                "routes": "\"route_digest\":\"",
            ]
            let key = try #require(keys[figure])
            try run.edit { lines in
                let place = try #require(lines[4].range(of: key)?.upperBound)
                let digit = lines[4][place]
                lines[4].replaceSubrange(place...place, with: digit == "7" ? "8" : "7")
            }
            let findings = try replaying(run, step: 8) { try $0.verify() }
            #expect(findings.isConfirmed, "starts after the step")
            let earlier = try replaying(run, step: 6) { try $0.verify() }
            #expect(earlier.figure?.step == 5 && earlier.figure?.figure == figure)
            #expect(earlier.tensor == nil && earlier.comparedCheckpoints == 1, "the checkpoint is as it was")
        }
    }

    @Test("names the first tensor that differs") func tensors() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train()
            try run.alter(6) { _ in
            } _: { name, values in
                if name == "parameters/blocks.1.router" { values[17] = 7 }
            }
            let findings = try replaying(run, step: 6) { try $0.verify() }
            #expect(findings.figure == nil)
            let tensor = try #require(findings.tensor)
            #expect(tensor.name == "parameters/blocks.1.router" && tensor.index == 17 && tensor.count == 1)
            #expect(tensor.stored == 7 && tensor.recomputed != 7)
            // A replay that starts there goes wrong in the step after.
            let after = try replaying(run, step: 8) { try $0.verify() }
            #expect(after.figure?.step == 7)
        }
    }

    @Test("a micro-batch alone: its tokens, routes and losses, and its share of the gradient") func microBatch() throws
    {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train()
            var losses = 0.0, router = [Double](repeating: 0, count: 32 * 4)
            for microBatch in 0..<4 {
                let path = folder + "/micro-batch-\(microBatch).h5"
                try replaying(run, step: 5) { try $0.inspect(microBatch: microBatch, to: path) }
                let file = try HDF5File.open(path), root = try file.root()
                #expect(try root.attribute("micro-batch", as: Int64.self) == [Int64(microBatch)])
                let dataset = try root.dataset("gradients/blocks.0.router"), part = Vector<Float>(count: 32 * 4)
                try dataset.read(into: part, offset: [0, 0], shape: [32, 4])
                for i in 0..<part.count { router[i] += Double(part[i]) }
                losses += try root.attribute("loss", as: Double.self)[0] / 4
                try checkRoutes(root)
            }
            let record = try run.records()[4]
            #expect(abs(losses - record.loss) < 1e-12)
            let norm = router.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(norm > 0 && norm < record.gradientNorm)
        }
    }

    @Test("a micro-batch of a run that recomputes has every layer's routes") func recomputedMicroBatch() throws {
        try inScratchFolder { folder in
            let probabilities = try ["none", "block"].map { recomputation in
                let own = folder + "/" + recomputation
                try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
                let run = try TinyRun(in: own, ["recompute=\(recomputation)"])
                try run.train()
                let path = folder + "/\(recomputation).h5"
                try replaying(run, step: 5) { try $0.inspect(microBatch: 1, to: path) }
                let root = try HDF5File.open(path).root()
                return try (0..<2).map { layer in
                    let values = Vector<Float>(count: 4)
                    try root.dataset("routes/\(layer)/probabilities").read(
                        into: values, offset: [0, 0], shape: [1, 4])
                    return values.array
                }
            }
            #expect(probabilities[0] == probabilities[1] && probabilities[0][0] != probabilities[0][1])
        }
    }

    @Test("a batch that changed on the way, also where the checkpoint of the change is gone") func changedBatch() throws
    {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["schedule.kind=cosine"], length: "tokens: 3072")
            #expect(try run.refusal(failingAfter: 4)?.status == .temporaryFailure)
            try run.train(["batch.tokens=512"], allowing: ["batch.tokens"])
            #expect(try run.records().map(\.tokens) == [256, 512, 768, 1280, 1792, 2304, 2816, 3328])
            let after = try replaying(run, step: 5) { try $0.verify() }
            #expect(after.isConfirmed && (after.first, after.last) == (4, 5))
            try FileManager.default.removeItem(atPath: "\(run.directory.checkpoints)/step-00000003")
            let across = try replaying(run, step: 5) { try $0.verify() }
            #expect(across.isConfirmed && (across.first, across.last) == (1, 5))
            try replaying(run, step: 2) { try $0.inspect(microBatch: 3, to: folder + "/micro-batch.h5") }
            #expect(throws: Failure.self) {
                try replaying(run, step: 2) { try $0.inspect(microBatch: 4, to: folder + "/x") }
            }
        }
    }

    @Test("data that changed since the step are named, not taken for an error of the machine") func changedData() throws
    {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train()
            try run.write(String(repeating: "Another text altogether, and one that is long enough.\n", count: 200))
            try run.train(["train.steps=9"])
            #expect(try replaying(run, step: 9) { try $0.verify() }.isConfirmed)
            let failure = #expect(throws: Failure.self) { try replaying(run, step: 8) { try $0.verify() } }
            #expect(failure?.message.contains("training data are others") == true)
        }
    }

    @Test("a replay that would take steps of before the data changed says when they changed")
    func changedOnTheWay() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["checkpoint.keep=9"])
            try run.train(["train.steps=5"])
            try run.write(String(repeating: "Another text altogether, and one that is long enough.\n", count: 200))
            try run.train(["train.steps=9"])
            #expect(try run.checkpointRecord(9).extras["train_data_since"] == "5")
            #expect(try replaying(run, step: 9) { try $0.verify() }.isConfirmed)
            #expect(try replaying(run, step: 6) { try $0.verify() }.isConfirmed, "from the checkpoint of the change")
            // Without it, the replay begins before the change.
            try FileManager.default.removeItem(atPath: "\(run.directory.checkpoints)/step-00000005")
            let refused = #expect(throws: Failure.self) { try replaying(run, step: 6) { try $0.verify() } }
            #expect(refused?.status == .configuration)
            #expect(refused?.message.contains("changed after step 5") == true)
            #expect(refused?.message.contains("step 4 was trained on other data") == true)
            // A job that saved nothing since tells no step, and a difference is put down to the change.
            try FileManager.default.removeItem(atPath: "\(run.directory.checkpoints)/step-00000006")
            try FileManager.default.removeItem(atPath: "\(run.directory.checkpoints)/step-00000009")
            let unknown = #expect(throws: Failure.self) { try replaying(run, step: 8) { try $0.verify() } }
            #expect(unknown?.message.contains("step 4 differs from its record, but the training data changed") == true)
        }
    }

    @Test("a run that goes on again with the same data keeps the step of their change") func changedEarlier() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train(["train.steps=2"])
            try run.write(String(repeating: "Another text altogether, and one that is long enough.\n", count: 200))
            try run.train(["train.steps=4"])
            try run.train(["train.steps=6"])
            #expect(try run.checkpointRecord(6).extras["train_data_since"] == "2")
        }
    }

    @Test("refuses default mode, steps without a record, micro-batches that are not there") func refuses() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train()
            #expect(throws: Failure.self) { try replaying(run, step: 9) { try $0.verify() } }
            #expect(throws: Failure.self) {
                try replaying(run, step: 8) { try $0.inspect(microBatch: 4, to: folder + "/x") }
            }
        }
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["reproducible=false"])
            try run.train()
            let failure = #expect(throws: Failure.self) { try replaying(run, step: 8) { try $0.verify() } }
            #expect(failure?.message.contains("default mode") == true)
        }
    }

    /// Every token's choice has the highest probability, and that probability as its gate.
    private func checkRoutes(_ root: HDF5Group) throws {
        let expertIndices = Vector<Int32>(count: 64), gates = Vector<Float>(count: 64), p = Vector<Float>(count: 256)
        try root.dataset("routes/1/expert_indices").read(into: expertIndices, offset: [0, 0], shape: [64, 1])
        try root.dataset("routes/1/gates").read(into: gates, offset: [0, 0], shape: [64, 1])
        try root.dataset("routes/1/probabilities").read(into: p, offset: [0, 0], shape: [64, 4])
        for token in 0..<64 {
            let row = (0..<4).map { p[4 * token + $0] }
            #expect(row.max() == row[Int(expertIndices[token])] && gates[token] == row[Int(expertIndices[token])])
        }
    }
}
