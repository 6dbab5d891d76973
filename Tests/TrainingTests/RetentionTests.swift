import Checkpoints
import Diagnostics
import Metrics
import Testing
import Training

@Suite("Which checkpoints stay", .serialized) struct RetentionTests {
    /// With this rate the model gets worse with every step.
    private let rising = [
        "optimizer.learning_rate=0.3", "optimizer.gradient_clip=0", "checkpoint.keep=1", "train.validate_every=2",
        "checkpoint.every_steps=2",
    ]

    private func steps(_ run: TinyRun) -> [Int] { CheckpointFolder(run.directory.checkpoints).published.map(\.step) }

    @Test("the best by validation loss stays, also after a resumption") func best() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, rising)
            try run.train(["train.steps=6"])
            try run.train(["train.steps=10"])
            let losses = try run.records().compactMap { record in record.validationLoss.map { (record.step, $0) } }
            let best = try #require(losses.min { $0.1 < $1.1 }?.0)
            try #require(best < 6, "the test wants a model that gets worse: \(losses)")
            #expect(steps(run) == [best, 10])
        }
    }

    @Test("unless it need not") func newestOnly() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, rising + ["checkpoint.keep_best=false"])
            try run.train(["train.steps=6"])
            #expect(steps(run) == [6])
        }
    }
}
