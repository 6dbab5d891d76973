import ArgumentParser
import Benchmarking
import Collectives
import Configuration
import Data
import Diagnostics
import Parallelism
import Threading
import Training

/// `switchyard bench`: figures of this machine.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures this machine: how near a run comes to what it can do, and where the rest goes.",
        discussion: """
            Figures are medians of several repetitions with their spread (half of highest less lowest, over the median). Under \
            mpirun all ranks measure at the same time and rank 0 speaks. docs/benchmarks.md says what each figure means.
            """,
        subcommands: [
            BenchGemm.self, BenchKernels.self, BenchMemory.self, BenchExchange.self, BenchStep.self,
            BenchCheckpoint.self,
        ])
}

/// How often to measure, and how to say it.
struct BenchOptions: ParsableArguments {
    @Option(help: "Repetitions of every measurement.") var repetitions = 5
    @Flag(help: "Print the figures as one JSON object on the last line.") var json = false
    @Option(name: .customLong("rounds"), help: .hidden) var retiredName: String?

    func validate() throws {
        try requireNotRetired(retiredName, "--rounds", now: "--repetitions")
        try require(repetitions, in: 1...100_000, "--repetitions")
    }

    func answer(
        _ figures: some Encodable, of benchmark: String, _ text: String, on world: any Communicator
    ) throws {
        guard world.rank == 0 else { return }
        if json {
            try printJSON(BenchmarkAnswer(benchmark, figures), snakeCase: true)
        } else {
            try StandardOutput.write(text)
        }
    }
}

/// The configuration that shapes come from.
struct ShapeOptions: ParsableArguments {
    @OptionGroup var options: ConfigurationOptions
    @Option(help: "Threads of each rank; parallel.threads_per_rank if not given.") var threads: Int?

    func validate() throws {
        if let threads { try requireThreads(threads) }
    }

    func read() throws(Failure) -> (configuration: ResolvedConfiguration, workers: ThreadPool) {
        let configuration = try options.read().resolvedWithoutTokenizer()
        return (configuration, ThreadPool(count: threads ?? configuration.parallel.threadsPerRank))
    }
}

/// A benchmark of the shapes that a configuration has.
private protocol ShapeBenchmark: Encodable, SendableMetatype {
    static var name: String { get }
    init(_ configuration: ResolvedConfiguration, on workers: ThreadPool, repetitions: Int)
    var text: String { get }
}

extension GemmBenchmark: ShapeBenchmark {
    fileprivate static var name: String { "gemm" }
}

extension KernelBenchmark: ShapeBenchmark {
    fileprivate static var name: String { "kernels" }
}

extension ShapeOptions {
    /// On all ranks at the same time; rank 0 answers.
    fileprivate func measure<Benchmark: ShapeBenchmark>(_: Benchmark.Type, _ options: BenchOptions) throws {
        let shapes = self
        try reportingFailures {
            try runOnRanks(virtual: nil) { world in
                let (configuration, workers) = try shapes.read()
                try world.barrier()
                let figures = Benchmark(configuration, on: workers, repetitions: options.repetitions)
                try options.answer(figures, of: Benchmark.name, figures.text, on: world)
            }
        }
    }
}

struct BenchGemm: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gemm", abstract: "Measures every matrix product of a configuration's training step.")
    @OptionGroup var shapes: ShapeOptions
    @OptionGroup var options: BenchOptions

    func run() throws { try shapes.measure(GemmBenchmark.self, options) }
}

struct BenchKernels: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Measures every other kernel of a configuration's training step.")
    @OptionGroup var shapes: ShapeOptions
    @OptionGroup var options: BenchOptions

    func run() throws { try shapes.measure(KernelBenchmark.self, options) }
}

struct BenchMemory: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory", abstract: "Measures the bandwidth of memory.")
    @Option(help: "Threads of each rank.") var threads = 1
    @Option(help: "Size of each of two arrays in MB (2^20 bytes); many times the caches.") var megabytes = 256
    @OptionGroup var options: BenchOptions

    func validate() throws {
        try requireThreads(threads)
        try require(megabytes, in: 1...1 << 24, "--megabytes")
    }

    func run() throws {
        let command = self
        try reportingFailures {
            try runOnRanks(virtual: nil) { world in
                let workers = ThreadPool(count: command.threads)
                try world.barrier()
                let figures = MemoryBandwidth.measure(
                    on: workers, megabytes: command.megabytes, repetitions: command.options.repetitions)
                try command.options.answer(figures, of: "memory", figures.text, on: world)
            }
        }
    }
}

struct BenchExchange: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exchange", abstract: "Measures all-to-all and all-reduce between the ranks, by message size.")
    @Option(help: "The largest message, MB (2^20 bytes).") var megabytes = 16
    @OptionGroup var options: BenchOptions

    func validate() throws {
        try require(megabytes, in: 1...1 << 24, "--megabytes")
    }

    func run() throws {
        let command = self
        try reportingFailures {
            try runOnRanks(virtual: nil) { world in
                let figures = try ExchangeBenchmark(
                    world, largest: command.megabytes << 20, repetitions: command.options.repetitions)
                try command.options.answer(figures, of: "exchange", figures.text, on: world)
            }
        }
    }
}
