import Collectives
import Diagnostics
import Metrics
import Testing
import Training

@Suite("Going on with another configuration", .serialized) struct ResumptionTests {
    /// Trains `run` on two virtual ranks, beginning with `start`; the failure, if it is refused.
    private func failure(_ run: TinyRun, _ changes: [String], start: TrainingOptions.Start = .random) throws -> Failure?
    {
        let configuration = try run.configuration(changes)
        do {
            _ = try VirtualRanks.run(2) { world in
                var options = TrainingOptions()
                options.start = start
                let setup = try TrainingSetup(configuration, on: world) { _ in }
                try TrainingRun(setup, on: world, progress: ProgressLine(), options: options).run()
            }
            return nil
        } catch let failure as Failure {
            return failure
        }
    }

    @Test("a branch is refused keys that change meaning, by name; lengths may change") func branch() throws {
        try inScratchFolder { folder in
            let trunk = try TinyRun(in: folder)
            try trunk.train()
            let start = TrainingOptions.Start.branch("\(trunk.directory.checkpoints)/step-00000006")
            let elsewhere = "run.directory=\(folder)/branch"
            for change in ["seed=5", "batch.lane_tokens=32", "routing.capacity_factor=2", "data.validation=tail 0.2"] {
                let key = change.prefix { $0 != "=" }
                let refusal = try failure(trunk, [elsewhere, change], start: start)
                #expect(refusal?.status == .configuration)
                #expect(refusal?.message.contains("\(key): ") == true && refusal?.advice?.contains(key) == true)
            }
            #expect(try failure(trunk, [elsewhere, "train.steps=7"], start: start) == nil)
        }
    }

    @Test("`auto` and the vocabulary that it stands for are the same") func vocabulary() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train(["train.steps=2"])
            try run.train(["train.steps=3", "model.vocabulary_size=257"])
            try run.train(["train.steps=4"])
            #expect(try run.records().map(\.step) == [1, 2, 3, 4])
            let refusal = try failure(run, ["train.steps=5", "model.vocabulary_size=300"])
            #expect(refusal?.message.contains("model.vocabulary_size: ") == true)
        }
    }
}
