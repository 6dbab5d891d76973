import ArgumentParser
import Benchmarking
import Collectives
import Configuration
import Data
import Inference
import Parallelism
import Platform
import Training

struct Generate: ParsableCommand, AnswersRequests {
    static let configuration = CommandConfiguration(
        abstract: "Continues a text with a trained model.",
        discussion: "Under mpirun the ranks share out the model's experts, and one of them prints.")

    @Argument(help: "A checkpoint, or a run directory, whose newest checkpoint is taken.", transform: path)
    var checkpoint: String

    @OptionGroup var parameters: AverageOption

    @Option(help: "The text to continue; nothing stands for the beginning of a document.")
    var prompt = ""

    @Option(help: "Tokens to generate, unless the document ends first.")
    var tokens = 200

    @Option(help: "Logits are divided by it before sampling; 0 always takes the most likely token.")
    var temperature = 0.8

    @Option(help: "Sample among this many of the most likely tokens; 0: among all.")
    var topK = 50

    @Option(help: "Another seed, another text.")
    var seed: UInt64 = 0

    @Option(help: "Threads.")
    var threads = 1

    @Option(name: .customLong("top"), help: .hidden) var retiredName: String?

    func validate() throws {
        if tokens < 1 { throw ValidationError("--tokens must be at least 1") }
        try requireThreads(threads)
        if !(temperature >= 0) { throw ValidationError("--temperature must not be negative") }
        try requireNotRetired(retiredName, "--top", now: "--top-k")
        if topK < 0 { throw ValidationError("--top-k must not be negative") }
    }

    func run() throws {
        try reportingFailures {
            let argument = CheckpointArgument(path: checkpoint, average: parameters.ema)
            let sampling = Sampling(temperature: temperature, top: topK, seed: seed)
            let (prompt, tokens, threads) = (Array(prompt.utf8), tokens, threads)
            try runOnRanks(virtual: nil) { world in
                let requests = RunControl(world, abort: abort)
                let model = try StoredModel(try argument.open(sharedBy: world), threads: threads, on: world)
                let writes = world.rank == 0
                if writes { try StandardOutput.write(bytes: prompt) }
                let outcome = Result {
                    try model.generate(after: prompt, tokens: tokens, sampling, unless: requests) { bytes in
                        if writes { try StandardOutput.write(bytes: bytes) }
                    }
                }
                // After a broken-off text, too, the caller's next line is one of its own.
                let ending = Result { if writes { try StandardOutput.write("") } }
                try outcome.get()
                try ending.get()
            }
        }
    }
}
