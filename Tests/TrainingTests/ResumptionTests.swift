import TestSupport
import Collectives
import Diagnostics
import Foundation
import Model
import RunFormat
import Testing
import Threading
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

    @Test("a run whose checkpoints are gone does not begin anew over its records") func gone() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["train.steps=2"]), files = FileManager.default
            try run.train()
            let checkpoint = "\(run.directory.checkpoints)/step-00000002"
            try files.moveItem(atPath: checkpoint, toPath: folder + "/aside")
            for isFolderThere in [true, false] {
                if !isFolderThere { try files.removeItem(atPath: run.directory.checkpoints) }
                let refusal = try run.refusal(["train.steps=3"])
                #expect(refusal?.status == .data && refusal?.message.contains("records up to step 2") == true)
                #expect(refusal?.advice?.contains("move the checkpoints back") == true)
            }
            // A run of a version that did not note whether it had checkpoints: the folder says so.
            let facts = try String(contentsOfFile: run.directory.summary, encoding: .utf8)
            try Data(facts.replacing("has_checkpoints", with: "unknown").utf8).write(
                to: URL(filePath: run.directory.summary))
            #expect(try run.refusal(["train.steps=3"])?.status == .data)
            #expect(try run.records().map(\.step) == [1, 2])
            // As it stands when a job ends before its first checkpoint.
            try files.createDirectory(atPath: run.directory.checkpoints, withIntermediateDirectories: true)
            try run.train()
            #expect(try run.records().map(\.step) == [1, 2])
            try files.removeItem(atPath: checkpoint)
            try files.moveItem(atPath: folder + "/aside", toPath: checkpoint)
            try run.train(["train.steps=3"])
            #expect(try run.records().map(\.step) == [1, 2, 3])
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
