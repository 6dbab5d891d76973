import TestSupport
import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Foundation
import RunFormat
import Testing
import Threading
import Training

@Suite("Branches and milestones", .serialized) struct BranchTests {
    /// Steps of 64 tokens at first, so that decays begin within and after the ramp, and not with a step.
    private static let changes = [
        "schedule.kind=wsd", "schedule.warmup_tokens=128", "schedule.decay_share=0.3",
        "batch.ramp=[{tokens: 64, until: 700}]", "checkpoint.every_steps=4", "checkpoint.keep=1",
    ]
    private static let ends = [640, 1100, 2000]

    private func trunk(in folder: String, length: String = "tokens: 3000") throws -> TinyRun {
        try TinyRun(
            in: folder, Self.changes + ["train.branches=\(Self.ends)", "run.directory=\(folder)/trunk"], length: length)
    }

    private func train(_ run: TinyRun, ranks: Int, failingAfter last: (Int, branch: Bool)? = nil) throws {
        let configuration = try run.configuration()
        _ = try VirtualRanks.run(ranks) { world in
            var options = TrainingOptions.ofTests
            func observe(_ isBranch: Bool) -> (StepOutcome, TrainingState) throws -> Void {
                { _, state in
                    guard let last, last.branch == isBranch, state.step == last.0 else { return }
                    throw Failure(.temporaryFailure, "as the test asks")
                }
            }
            options.observe = observe(false)
            let setup = try TrainingSetup(configuration, on: world, options: options) { _ in }
            try TrainingRun(setup, on: world, progress: ProgressDisplay()).run()
            options.observe = observe(true)
            try trainBranches(of: configuration, options, on: world, progress: ProgressDisplay())
        }
    }

    private func expectBranches(_ folder: String, of run: TinyRun) throws {
        for end in Self.ends {
            let place = "\(folder)/alone-\(end)"
            if !FileManager.default.fileExists(atPath: place) {
                try TinyRun(in: folder, Self.changes + ["run.directory=\(place)"], length: "tokens: \(end)").train(
                    ranks: 1)
            }
            let alone = try run.records(of: "alone-\(end)")
            let branch = try run.records(of: "trunk/branches/tokens-\(end)")
            #expect(branch.count > 1 && branch.count < alone.count)
            #expect(branch.map(\.step) == alone.suffix(branch.count).map(\.step))
            #expect(branch.map(\.tokens) == alone.suffix(branch.count).map(\.tokens))
            #expect(branch.map(\.parameterDigest) == alone.suffix(branch.count).map(\.parameterDigest), "\(end)")
            #expect(branch.map(\.learningRate) == alone.suffix(branch.count).map(\.learningRate))
            #expect(branch.last?.validationLoss == alone.last?.validationLoss)
            #expect(try #require(branch.last?.learningRate) < 1e-4 && branch[0].learningRate > 5e-4)
        }
    }

    @Test("each is bit for bit the run that ends there, on 1 to 4 ranks, by tokens and by steps", arguments: 1...4)
    func sameBits(ranks: Int) throws {
        try inScratchFolder { folder in
            let run = try trunk(in: folder, length: ranks % 2 == 1 ? "tokens: 3000" : "steps: 20")
            try train(run, ranks: ranks)
            try expectBranches(folder, of: run)
        }
    }

    @Test("a job that dies in the run or in a branch goes on") func killed() throws {
        try inScratchFolder { folder in
            let run = try trunk(in: folder)
            for (step, branch) in [(6, false), (10, false), (9, true), (13, true), (16, true)] {
                let failure = #expect(throws: Failure.self) { try train(run, ranks: 2, failingAfter: (step, branch)) }
                #expect(failure?.status == .temporaryFailure)
            }
            try train(run, ranks: 3)
            try expectBranches(folder, of: run)
            // Nothing is left to do, and nothing is done again.
            let before = try run.records(of: "trunk/branches/tokens-1100").map(\.time)
            try train(run, ranks: 1)
            #expect(try run.records(of: "trunk/branches/tokens-1100").map(\.time) == before)
        }
    }

    @Test("checkpoint.at_tokens are saved and stay, also when the run was killed between") func milestones() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(
                in: folder,
                [
                    "checkpoint.at_tokens=[300, 1024, 1500]", "checkpoint.every_steps=1", "checkpoint.keep=1",
                    "checkpoint.keep_best=false",
                ], length: "steps: 9")
            for step in [3, 6, 7] { #expect(try run.refusal(failingAfter: step)?.status == .temporaryFailure) }
            try run.train()
            let kept = CheckpointFolder(run.directory.checkpoints).published.map(\.step)
            #expect(kept == [2, 4, 6, 9])
        }
    }

    @Test(
        "branches that leave no run are refused",
        arguments: [
            (["train.branches=[640, 3072]"], "the run itself ends after 3072 tokens"),
            (["train.branches=[640, 640]"], "has 640 after 640"),
            (["train.branches=[0]"], "has `0`; allowed are 1 to"), (["train.branches=[x]"], "has `x`"),
            (["train.branches=[300]", "schedule.decay_share=1"], "decays from its first step"),
            (["train.branches=[640]", "schedule.kind=cosine"], "needs `schedule.kind: wsd`, not `cosine`"),
            (["checkpoint.at_tokens=[5, 4]"], "has 4 after 5"),
        ])
    func refused(changes: [String], message: String) throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["schedule.kind=wsd"], length: "tokens: 3072")
            let failure = #expect(throws: Failure.self) { try run.configuration(changes) }
            #expect(failure?.message.contains(message) == true, "\(failure as Any)")
        }
    }

    @Test("a branch that the run did not leave a checkpoint for is refused in words") func tooLate() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, Self.changes + ["run.directory=\(folder)/trunk"], length: "tokens: 3000")
            try run.train()
            let late = try trunk(in: folder)
            let failure = #expect(throws: Failure.self) { try train(late, ranks: 1) }
            #expect(
                failure?.status == .data && failure?.message.contains("ends after 640 tokens has no checkpoint") == true
            )
        }
    }
}
