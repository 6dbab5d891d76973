import TestSupport
import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Foundation
import Inference
import MatrixProducts
import Parallelism
import Platform
import RunFormat
import Tensors
import Testing
import Training

private let hasBFloat16 = ProductLibrary.supports(.bfloat16)

@Suite("Precision", .serialized) struct PrecisionTests {
    @Test("is part of the configuration") func configured() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            #expect(try run.configuration().precision == .float32)
            let configuration = try run.configuration(["precision=bfloat16"])
            #expect(configuration.precision == .bfloat16)
            #expect(configuration.values.contains { $0 == ("precision", "\"bfloat16\"") })
        }
    }

    @Test(
        "a build without oneDNN refuses bfloat16 before it does anything", .enabled(if: !hasBFloat16),
        arguments: [1, 2])
    func refused(ranks: Int) throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            let failure = try #require(throws: Failure.self) { try run.train(ranks: ranks, ["precision=bfloat16"]) }
            #expect(failure.status == .unavailable && failure.message.contains("oneDNN"))
            #expect(failure.advice?.contains("libdnnl-dev") == true && failure.advice?.contains("build again") == true)
            #expect(!FileManager.default.fileExists(atPath: run.directory.path))
        }
    }

    @Test("a build without oneDNN does not open models in bfloat16 either", .enabled(if: !hasBFloat16))
    func refusedForStoredModels() throws {
        try inScratchFolder { folder in
            let configuration = try TinyRun(in: folder).resolved(["precision=bfloat16"])
            let failure = #expect(throws: Failure.self) {
                _ = try VirtualRanks.run(2) { world in
                    _ = try Engine(configuration, expertParallelSize: 1, threads: 1, forTraining: false, on: world)
                }
            }
            #expect(failure?.status == .unavailable)
        }
    }

    @Test("a run in bfloat16 goes on bit for bit, on other ranks, and is confirmed", .enabled(if: hasBFloat16))
    func goesOn() throws {
        try inScratchFolder { folder in
            let whole = try TinyRun(in: folder, ["precision=bfloat16"])
            try whole.train(ranks: 1)
            let expected = try whole.records()
            try FileManager.default.removeItem(atPath: whole.directory.path)
            try whole.train(ranks: 2, ["train.steps=4"])
            try whole.train(ranks: 3)
            let found = try whole.records()
            #expect(found.map(\.parameterDigest) == expected.map(\.parameterDigest))
            #expect(found.map(\.loss) == expected.map(\.loss))
            #expect(found.map(\.validationLoss).last == expected.map(\.validationLoss).last)
            let path = whole.directory.path
            let findings = try VirtualRanks.run(1) { world in
                try Replay(run: path, step: 8, threads: 2, on: world) { _ in }.verify()
            }[0]
            #expect(findings.isConfirmed && findings.last == 8)
        }
    }

    @Test("float32 and bfloat16 learn alike, and are not the same", .enabled(if: hasBFloat16)) func learnsAlike() throws
    {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train(ranks: 1)
            let expected = try run.records()
            try FileManager.default.removeItem(atPath: run.directory.path)
            try run.train(ranks: 1, ["precision=bfloat16"])
            let found = try run.records()
            #expect(zip(found, expected).allSatisfy { $0.parameterDigest != $1.parameterDigest })
            for (a, b) in zip(found, expected) { #expect(abs(a.loss - b.loss) <= 0.01 * b.loss, "step \(a.step)") }
        }
    }

    @Test("a run changes its precision", .enabled(if: hasBFloat16), arguments: Precision.allCases)
    func changes(from first: Precision) throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder), second = first == .float32 ? Precision.bfloat16 : .float32
            try run.train(ranks: 2, ["train.steps=4", "precision=\(first)"])
            try run.train(ranks: 1, ["precision=\(second)"])
            let losses = try run.records().map(\.loss)
            #expect(losses.count == 8 && losses[7] < losses[0])
        }
    }

    @Test("a stored model has the loss it had when it was saved", .enabled(if: hasBFloat16), arguments: [1, 2])
    func storedModels(ranks: Int) throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["precision=bfloat16", "data.validation=\(folder)/text.txt"])
            try run.train(ranks: 2)
            let expected = try #require(try run.records().last?.validationLoss)
            let last = try #require(CheckpointFolder(run.directory.checkpoints).published.last).directory
            let text = folder + "/text.txt", scratch = folder + "/evaluation"
            let found = try VirtualRanks.run(ranks) { world in
                let stored = try StoredModel(CheckpointReader(last, sharedBy: world), threads: 1, on: world)
                #expect(stored.engine.precision == .bfloat16)
                return try stored.evaluate([text], in: scratch, on: world, unless: RunControl(world)) { _ in }.loss
            }
            #expect(found.allSatisfy { $0 == expected })
        }
    }
}
