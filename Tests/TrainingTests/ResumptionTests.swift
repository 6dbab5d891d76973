import Collectives
import Diagnostics
import Metrics
import Testing
import Training

@Suite("Going on with another configuration", .serialized) struct ResumptionTests {
    @Test("a branch is refused keys that change meaning, by name; lengths may change") func branch() throws {
        try inScratchFolder { folder in
            let trunk = try TinyRun(in: folder)
            try trunk.train()
            let start = TrainingOptions.Start.branch("\(trunk.directory.checkpoints)/step-00000006")
            let elsewhere = "run.directory=\(folder)/branch"
            for change in [
                "seed=5", "batch.micro_batch_tokens=32", "routing.capacity_factor=2", "data.validation=tail 0.2",
            ] {
                let key = change.prefix { $0 != "=" }
                let refusal = try trunk.refusal([elsewhere, change], start: start)
                #expect(refusal?.status == .configuration)
                #expect(refusal?.message.contains("\(key): ") == true && refusal?.advice?.contains(key) == true)
            }
            #expect(try trunk.refusal([elsewhere, "train.steps=7"], start: start) == nil)
        }
    }

    @Test("`auto` and the vocabulary that it stands for are the same") func vocabulary() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder)
            try run.train(["train.steps=2"])
            try run.train(["train.steps=3", "model.vocabulary_size=257"])
            try run.train(["train.steps=4"])
            #expect(try run.records().map(\.step) == [1, 2, 3, 4])
            let refusal = try run.refusal(["train.steps=5", "model.vocabulary_size=300"])
            #expect(refusal?.message.contains("model.vocabulary_size: ") == true)
        }
    }
}
