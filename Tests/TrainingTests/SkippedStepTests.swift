import TestSupport
import Checkpoints
import Configuration
import Diagnostics
import RunFormat
import Testing
import Training

@Suite("Skipped steps", .serialized) struct SkippedStepTests {
    private static let window = StepSkipping(limit: 2, outlierSigmas: 3, outlierWindow: 8)

    /// Mean and deviation of what was applied, taken anew for every step.
    @Test("outliers are those far above the mean of the window") func outliers() {
        var stepGuard = StepGuard(), applied: [Double] = [], skipped = 0
        let norms = [1, 2, 1, 9, 2, 1, 2, 4.5, 1, 50, 2, 2, 60, 70, 3, 1, 2.0]
        for norm in norms {
            let last = applied.suffix(8), count = Double(last.count), mean = last.reduce(0, +) / count
            let variance = last.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
            let isOutlier = last.count >= 4 && (norm - mean) / variance.squareRoot() > 3
            let verdict = stepGuard.judge(norm: norm, flaw: nil, Self.window)
            #expect((verdict != .applied) == isOutlier, "\(norm)")
            if isOutlier { skipped += 1 } else { applied.append(norm) }
        }
        #expect(skipped == 3 && stepGuard.skipped == 3 && stepGuard.inARow == 0)
        #expect(stepGuard.norms == Array(applied.suffix(8)))
    }

    @Test("one bad step more than the limit in a row ends the run") func limit() {
        var stepGuard = StepGuard()
        func judge(_ flaw: String?) -> StepGuard.Verdict {
            stepGuard.judge(norm: .nan, flaw: flaw, StepSkipping(limit: 2))
        }
        #expect(judge("a") == .skipped("a") && judge("b") == .skipped("b"))
        #expect(stepGuard.judge(norm: 1, flaw: nil, StepSkipping(limit: 2)) == .applied)
        #expect(judge("c") == .skipped("c") && judge("d") == .skipped("d") && judge("e") == .diverged("e"))
        #expect(stepGuard.skipped == 4 && stepGuard.inARow == 2)
        #expect(stepGuard.judge(norm: 1, flaw: "f", StepSkipping(limit: 0)) == .diverged("f"))
    }

    @Test("a checkpoint brings it back; what no run writes is refused") func stored() throws {
        var stepGuard = StepGuard()
        for norm in [0.1, 1.0 / 3, 2e-300, 5] { _ = stepGuard.judge(norm: norm, flaw: nil, Self.window) }
        _ = stepGuard.judge(norm: 1, flaw: "x", Self.window)
        #expect(try StepGuard(extras: stepGuard.extras, step: 5) == stepGuard)
        #expect(try StepGuard(extras: [:], step: 5) == StepGuard() && StepGuard().extras.isEmpty)
        for (key, text) in [
            ("gradient_norms", "1 x"), ("gradient_norms", "nan"), ("gradient_norms", "-1"), ("skipped_steps", "6"),
            ("skipped_steps", "-1"), ("skipped_in_a_row", "9"),
        ] {
            let failure = #expect(throws: Failure.self) { try StepGuard(extras: [key: text], step: 5) }
            #expect(failure?.status == .data && failure?.message.contains(key) == true, "\(key)")
        }
    }

    /// The first updates are of norms that a limit of a tenth of a standard deviation calls outliers now and then.
    private static let outliers = [
        "optimizer.outlier_sigmas=0.3", "optimizer.outlier_window=4", "optimizer.skip_limit=9",
        "checkpoint.every_steps=1", "checkpoint.keep=99",
    ]

    @Test("skipped steps keep parameters, use data up, and go on to the bit", arguments: OptimizerKind.allCases)
    func training(optimizer: OptimizerKind) throws {
        try inScratchFolder { folder in
            let changes = Self.outliers + ["optimizer.kind=\(optimizer)"]
            let whole = try TinyRun(in: folder, changes + ["run.directory=\(folder)/whole"], length: "steps: 16")
            try whole.train(ranks: 1)
            let killed = try TinyRun(in: folder, changes, length: "steps: 16")
            for step in 2...16 { #expect(try killed.refusal(failingAfter: step)?.status == .temporaryFailure) }
            try killed.train(ranks: 3)
            let found = try killed.records()
            let skipped = found.filter { $0.skipped == true }
            try #require(!skipped.isEmpty && skipped.count < 12)
            for record in skipped where record.step > 1 {
                #expect(record.parameterDigest == found[record.step - 2].parameterDigest)
            }
            #expect(found.map(\.tokens) == (1...16).map { 256 * $0 })
            let expected = try killed.records(of: "whole")
            #expect(found.map(\.parameterDigest) == expected.map(\.parameterDigest))
            #expect(found.map(\.skipped) == expected.map(\.skipped))
            #expect(try killed.checkpointRecord().extras["skipped_steps"] == "\(skipped.count)")
        }
    }

    @Test("a run that diverges for good ends with the parameters before") func divergence() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(
                in: folder,
                ["optimizer.learning_rate=1000", "optimizer.weight_decay=1000", "checkpoint.every_steps=0"],
                length: "steps: 60")
            let failure = try #require(try run.refusal())
            #expect(failure.status == .diverged && failure.message.contains("after 3 skipped steps"))
            let records = try run.records(), last = try run.checkpointRecord()
            #expect(
                records.suffix(3).allSatisfy { $0.skipped == true }
                    && records.dropLast(3).allSatisfy { $0.skipped == nil })
            #expect(last.step == records.count && last.tokens == 256 * records.count)
            #expect(failure.message.contains("with the parameters of step \(records.count - 3)"))
            // Started again, the next bad step is one too many, and nothing is lost.
            #expect(try run.refusal()?.status == .diverged)
            #expect(try run.checkpointRecord().step == records.count)
        }
    }
}
