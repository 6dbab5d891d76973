import TestSupport
import Checkpoints
import Collectives
import Configuration
import Data
import Diagnostics
import Foundation
import Model
import Parallelism
import Platform
import RunFormat
import Testing
import Tokenizers
import Training

@Suite("The checkpoint's tokenizer", .serialized) struct CheckpointTokenizerTests {
    private static let other = (0..<300).map { "Wholly unlike words, zebra \($0 * 7) quickly jumping.\n" }.joined()
    private static let bytePairs = ["data.tokenizer=bpe 300"]

    private func tokens(_ run: TinyRun, _ name: String = "run") throws -> TokenFile {
        try TokenFile("\(run.folder)/\(name)/data/train.tokens")
    }

    @Test("learned merges stay those of the checkpoint when the corpus changes") func learned() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, Self.bytePairs)
            try run.train(["train.steps=3"])
            let tokenizer = try run.checkpointRecord().tokenizer
            try run.write(Self.other)
            try run.train(["train.steps=5"])
            #expect(try run.checkpointRecord().step == 5)
            #expect(try run.checkpointRecord().tokenizer == tokenizer)
            let file = try tokens(run)
            #expect(file.tokenizer.serialized == tokenizer)
            #expect(file.tokenizer.decode((0..<file.tokenCount).map { file[$0] }) == Array(Self.other.utf8))
            // Without a checkpoint the same setting learns other merges from this corpus.
            try run.train(["train.steps=1", "run.directory=\(folder)/anew"])
            #expect(try tokens(run, "anew").tokenizer.serialized != tokenizer)
        }
    }

    @Test("tokens that another tokenizer made of the same texts are not taken up", arguments: ["weights", "branch"])
    func cache(start: String) throws {
        try inScratchFolder { folder in
            let trunk = try TinyRun(in: folder, Self.bytePairs)
            try trunk.train(["train.steps=3"])
            let tokenizer = try trunk.checkpointRecord().tokenizer
            try trunk.write(Self.other)
            // A job without the checkpoint tokenized first and never saved.
            let elsewhere = ["run.directory=\(folder)/other"]
            _ = try trunk.refusal(elsewhere, failingAfter: 1)
            #expect(try tokens(trunk, "other").tokenizer.serialized != tokenizer)
            let path = "\(trunk.directory.checkpoints)/step-00000003"
            try trunk.train(
                elsewhere + ["train.steps=4"], start: start == "weights" ? .weights(path) : .branch(path))
            #expect(try tokens(trunk, "other").tokenizer.serialized == tokenizer)
        }
    }

    @Test("an exchanged file of merges is refused, whatever may change; the checkpoint's own is not") func merges()
        throws
    {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["data.tokenizer=\(folder)/merges.txt"])
            try run.write("#version: 0.2\na t\ne x\n", to: "merges.txt")
            try run.train(["train.steps=3"])
            try run.write("#version: 0.2\nt a\ne x\n", to: "merges.txt")
            let path = "\(run.directory.checkpoints)/step-00000003", elsewhere = "run.directory=\(folder)/other"
            let refusals = [
                try run.refusal(["train.steps=4"]),
                try run.refusal(["train.steps=4"], allowing: ["data.tokenizer"]),
                try run.refusal([elsewhere], start: .weights(path)),
                try run.refusal([elsewhere], start: .branch(path)),
                try run.refusal(["data.tokenizer=byte"], allowing: ["data.tokenizer"]),
                try run.refusal(["data.tokenizer=bpe 300"], allowing: ["data.tokenizer"]),
            ]
            for refusal in refusals {
                #expect(refusal?.status == .configuration)
                #expect(refusal?.message.contains("is another tokenizer") == true)
                #expect(refusal?.message.contains("step-00000003") == true)
            }
            // The same merges under another name, and `auto`, which stands for them.
            try run.write("#version: 0.2\na t\ne x\n", to: "again.txt")
            try run.train(["train.steps=4", "data.tokenizer=\(folder)/again.txt"], allowing: ["data.tokenizer"])
            try run.write(Self.other)
            try run.train(["train.steps=5", "data.tokenizer=auto"], allowing: ["data.tokenizer"])
            #expect(try tokens(run).tokenizer.vocabularySize == 259)
            #expect(try run.checkpointRecord().step == 5)
        }
    }

    @Test("a run goes on without the file of its tokenizer, also where its tokens are gone; a new one does not")
    func gone() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["data.tokenizer=\(folder)/merges.txt"])
            try run.write("#version: 0.2\na t\ne x\n", to: "merges.txt")
            try run.train(["train.steps=3"])
            let path = "\(run.directory.checkpoints)/step-00000003", elsewhere = "run.directory=\(folder)/other"
            let files = FileManager.default
            for gone in ["\(folder)/merges.txt", run.directory.data] { try files.removeItem(atPath: gone) }
            let longer = try run.configuration(["train.steps=4"])
            #expect(try onOneRank { try RunForecast(longer, .ofTests, on: $0) }.obstacle == nil)
            try run.train(["train.steps=4"])
            #expect(try tokens(run).tokenizer.vocabularySize == 259)
            #expect(try run.refusal([elsewhere, "train.steps=4"], start: .branch(path)) == nil)
            let weights = ["run.directory=\(folder)/third"]
            #expect(try run.refusal(weights, start: .weights(path))?.status == .noInput)
            #expect(try run.refusal(["run.directory=\(folder)/anew"])?.status == .noInput)
        }
    }

    @Test("a token file of another tokenizer is refused, on either side") func tokenFiles() throws {
        try inScratchFolder { folder in
            func tokenize(_ tokenizer: TokenizerChoice, _ name: String) throws {
                _ = try tokenizeFiles(
                    [folder + "/text.txt"], tokenizer: tokenizer, output: "\(folder)/\(name)", format: .switchyard
                ) { _ in }
            }
            let paths = ["data.train=\(folder)/a.tokens", "data.validation=\(folder)/b.tokens"]
            let run = try TinyRun(in: folder, paths)
            for name in ["a.tokens", "b.tokens"] { try tokenize(.bytePairs(vocabularySize: 280), name) }
            try run.train(["train.steps=3"])
            // The same size, other merges: nothing but the identity shows it.
            try run.write(Self.other)
            for name in ["a.tokens", "b.tokens"] {
                let kept = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
                try tokenize(.bytePairs(vocabularySize: 280), name)
                let refusal = try run.refusal(["train.steps=4"])
                #expect(refusal?.status == .data && refusal?.message.contains(name) == true)
                try kept.write(to: URL(filePath: "\(folder)/\(name)"))
            }
            try run.train(["train.steps=4"])
        }
    }

    @Test("a forecast refuses what the run would, and has the checkpoint's vocabulary") func forecast() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, Self.bytePairs)
            try run.train(["train.steps=3"])
            let path = "\(run.directory.checkpoints)/step-00000003"
            func forecast(_ more: [String], _ start: TrainingOptions.Start) throws -> RunForecast {
                let configuration = try run.configuration(["run.directory=\(folder)/other"] + more)
                return try onOneRank { world in
                    var options = TrainingOptions.ofTests
                    options.start = start
                    return try RunForecast(configuration, options, on: world)
                }
            }
            #expect(throws: Failure.self) { try forecast(["data.tokenizer=byte"], .weights(path)) }
            let plain = try forecast(["data.tokenizer=auto"], .weights(path))
            #expect(plain.memory.total == (try forecast([], .random)).memory.total)
            #expect(plain.memory.total > (try forecast(["data.tokenizer=byte"], .random)).memory.total)
            let allowed = try run.configuration(["train.steps=5"])
            let own = try onOneRank { world in try RunForecast(allowed, .ofTests, on: world) }
            #expect(own.description.contains("after 3 steps, 768 tokens"))
        }
    }

    @Test("other validation text: the best checkpoint is looked for anew") func validation() throws {
        try inScratchFolder { folder in
            let run = try TinyRun(in: folder, ["data.validation=\(folder)/held.txt", "train.validate_every=3"])
            try run.write(String(Self.other.prefix(2000)), to: "held.txt")
            try run.train(["train.steps=3"])
            let first = try run.checkpointRecord()
            // Far better than anything to come.
            try run.alter(3) { record in record.extras["best_validation_loss"] = "0.5" }
            try run.train(["train.steps=6"])
            #expect(try run.checkpointRecord().extras["best_validation_loss"] == "0.5")
            try run.write(String(Self.other.prefix(2500)), to: "held.txt")
            try run.train(["train.steps=9"])
            let last = try run.checkpointRecord()
            #expect(last.extras["best_step"] == "9" && last.extras["train_data"] == first.extras["train_data"])
            #expect(last.extras["validation_data"] != first.extras["validation_data"])
        }
    }
}

/// Runs `body` with a communicator of one rank.
func onOneRank<Result: Sendable>(
    _ body: @escaping @Sendable (any Communicator) throws -> Result
) throws -> Result {
    try VirtualRanks.run(1, body)[0]
}
