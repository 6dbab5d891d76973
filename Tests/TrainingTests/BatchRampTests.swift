import TestSupport
import Collectives
import Configuration
import Diagnostics
import Foundation
import RunFormat
import Testing
import Threading
import Training

@Suite("Batch ramp", .serialized) struct BatchRampTests {
    private static let ramp = [
        "batch.ramp=[{tokens: 64, until: 192}, {tokens: 128, until: 700}]", "schedule.kind=wsd",
        "schedule.warmup_tokens=256", "schedule.decay_tokens=512", "checkpoint.every_steps=1", "checkpoint.keep=99",
    ]
    /// Tokens seen after each step of a run of 1500 tokens.
    private static let tokens = [64, 128, 192, 320, 448, 576, 704, 960, 1216, 1472, 1728]

    private func run(in folder: String, _ name: String = "run", length: String = "tokens: 1500") throws -> TinyRun {
        try TinyRun(in: folder, Self.ramp + ["run.directory=\(folder)/\(name)"], length: length)
    }

    @Test("tokens, sequences, rate and end follow the tokens seen", arguments: ["tokens: 1500", "steps: 11"])
    func follows(length: String) throws {
        try inScratchFolder { folder in
            let run = try run(in: folder, length: length)
            try run.train()
            let records = try run.records()
            #expect(records.map(\.tokens) == Self.tokens && records.map(\.sequences) == Self.tokens.map { $0 / 32 })
            for record in records {
                let warm = min(1, Double(record.tokens) / 256), left = min(1, Double(1728 - record.tokens) / 512)
                #expect(abs(record.learningRate - 1e-3 * warm * left) < 1e-12, "step \(record.step)")
            }
        }
    }

    /// One rank, and more ranks than the first steps have micro-batches; every step is somewhere the last before a kill.
    @Test("the same bits on every number of ranks, and killed after every step") func sameBits() throws {
        try inScratchFolder { folder in
            try run(in: folder, "whole").train(ranks: 1)
            try run(in: folder, "four").train(ranks: 4)
            let killed = try run(in: folder, "killed")
            let whole = try killed.records(of: "whole")
            #expect(try killed.records(of: "four").map(\.parameterDigest) == whole.map(\.parameterDigest))
            for step in 2...11 {
                #expect(try killed.refusal(failingAfter: step)?.status == .temporaryFailure)
            }
            try killed.train()
            let found = try killed.records(of: "killed")
            #expect(found.map(\.tokens) == Self.tokens)
            #expect(found.map(\.parameterDigest) == whole.map(\.parameterDigest))
            #expect(found.map(\.gradientDigest) == whole.map(\.gradientDigest))
            #expect(found.map(\.learningRate) == whole.map(\.learningRate))
        }
    }

    @Test("replay recomputes across the changes") func replay() throws {
        try inScratchFolder { folder in
            let run = try run(in: folder)
            try run.train(ranks: 2)
            // From the beginning, past both changes.
            try FileManager.default.removeItem(atPath: run.directory.checkpoints)
            let path = run.directory.path
            let findings = try VirtualRanks.run(1) { world in
                try Replay(run: path, step: 11, threads: 1, on: world) { _ in }.verify()
            }[0]
            #expect(findings.isConfirmed && (findings.first, findings.last) == (1, 11))
        }
    }

    @Test("a decay that branches off ends with whole steps of the ramp") func branch() throws {
        try inScratchFolder { folder in
            let trunk = try run(in: folder)
            try trunk.train()
            let record = try trunk.checkpointRecord(5)
            let configuration = try trunk.configuration()
            let failure = #expect(throws: Failure.self) {
                try configuration.branchOverrides(from: record, decayTokens: 500)
            }
            #expect(failure?.advice == "the nearest that is: 512")
            #expect(
                try configuration.branchOverrides(from: record, decayTokens: 512)
                    == ["schedule.kind=wsd", "schedule.decay_tokens=512", "train.tokens=960"])
        }
    }
}
