import ArgumentParser
import Benchmarking
import Collectives
import Diagnostics

/// `switchyard bench step`: whole training steps, and what they consist of.
struct BenchStep: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step",
        abstract: "Times whole training steps of a configuration on random tokens, and says what they consist of.",
        discussion: """
            Forward, backward, sums over ranks, clipping and update of a fresh model, without its data. The breakdown \
            comes from the same spans as `train --trace`. Real routing is that of the fresh router.
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "Who chooses experts: uniform (every expert gets its equal share) or real (the router).")
    var routing = StepBenchmark.Routing.real
    @Option(help: "Steps that count.") var steps = 5
    @Option(help: "Steps before them.") var warmUp = 1
    @Option(help: "Run this many ranks inside one process, without mpirun.") var virtualRanks: Int?
    @Flag(help: "Print the figures as one JSON object on the last line.") var json = false

    func validate() throws {
        try require(steps, in: 1...1_000_000, "--steps")
        try require(warmUp, in: 0...1_000_000, "--warm-up")
        if let virtualRanks { try requireThreads(virtualRanks, "--virtual-ranks") }
    }

    func run() throws {
        let command = self
        try reportingFailures {
            try runOnRanks(virtual: virtualRanks) { world in
                var choices = StepBenchmark.Options()
                (choices.routing, choices.steps, choices.warmUp) = (command.routing, command.steps, command.warmUp)
                let figures = try StepBenchmark(try command.options.read(), choices, on: world)
                guard world.rank == 0 else { return }
                if command.json {
                    try printJSON(BenchmarkAnswer("step", figures), snakeCase: true)
                } else {
                    try StandardOutput.write(figures.text)
                }
            }
        }
    }
}

extension StepBenchmark.Routing: ExpressibleByArgument {}
