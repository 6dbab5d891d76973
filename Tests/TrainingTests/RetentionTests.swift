import TestSupport
import Checkpoints
import Configuration
import RunFormat
import Testing

@Suite("Which checkpoints stay", .serialized) struct RetentionTests {
    private let cadence = ["checkpoint.keep=1", "train.validate_every=2", "checkpoint.every_steps=2"]
    private let learns = ["optimizer.learning_rate=0.03", "train.steps=4"]
    private let forgets = ["optimizer.learning_rate=1", "train.steps=8"]

    private func steps(_ run: TinyRun) -> [Int] { CheckpointFolder(run.directory.checkpoints).published.map(\.step) }

    @Test("the best by validation loss stays, also after a resumption") func best() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, cadence)
            try run.train(learns)
            try run.train(forgets)
            let losses = try run.records().compactMap { record in record.validationLoss.map { (record.step, $0) } }
            let best = try #require(losses.min { $0.1 < $1.1 }?.0)
            try #require(best <= 4, "the test wants a model that gets worse: \(losses)")
            #expect(steps(run) == [best, 8])
        }
    }

    @Test("unless it need not") func newestOnly() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, cadence + ["checkpoint.keep_best=false"])
            try run.train(learns)
            try run.train(forgets)
            #expect(steps(run) == [8])
        }
    }
}
