import ArgumentParser
import Benchmarking
import Checkpoints
import Collectives
import Configuration
import Diagnostics
import MPI
import Model
import Parallelism
import Platform
import RunFormat
import Training

struct Train: ParsableCommand, AnswersRequests {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model as a configuration file says, alone or under mpirun.",
        discussion: """
            A run that was interrupted goes on when the same command is started again. docs/configuration.md lists every \
            key, docs/exit-codes.md what the exit codes mean.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Say what would happen, and whether it fits in memory; do nothing.")
    var check = false

    @Flag(help: "With --check: print one JSON object on the last line, the memory of a rank by kind in bytes.")
    var json = false

    @OptionGroup var quiet: QuietOption

    @Flag(help: "Print the run directory and do nothing else.")
    var printDirectory = false

    @Option(help: "Run this many ranks inside one process, without mpirun: for debuggers and tests.")
    var virtualRanks: Int?

    @Option(help: "Go on although this key differs from the run's checkpoint. May be repeated.")
    var allowChange: [String] = []

    @Flag(help: "Refuse to go on if the newest checkpoint is damaged, instead of passing over it.")
    var requireNewest = false

    @Option(help: "Begin a new run with the parameters of this checkpoint.", transform: path)
    var from: String?

    @Option(
        help: "Begin a new run with the whole state of this checkpoint, and decay the learning rate.", transform: path)
    var branchFrom: String?

    @Option(help: "Tokens over which a branch decays; it ends there.")
    var decayTokens: Int?

    @Option(
        help: ArgumentHelp(
            "Record what steps are made of in the run's trace.json: FIRST:LAST, or a number of steps after the first.",
            valueName: "steps"))
    var trace: TracedSteps?

    func validate() throws {
        if let virtualRanks { try requireThreads(virtualRanks, "--virtual-ranks") }
        if from != nil, branchFrom != nil { throw ValidationError("--from and --branch-from exclude each other") }
        if json, !check { throw ValidationError("--json belongs to --check") }
        if (branchFrom == nil) != (decayTokens == nil) {
            throw ValidationError("--branch-from and --decay-tokens belong together")
        }
    }

    var answersRequests: Bool { !check && !printDirectory }

    func run() throws {
        if printDirectory { return try reportingFailures { try StandardOutput.write(try options.read().directory) } }
        exitWithLauncher()
        try reportingFailures {
            let command = self
            try runOnRanks(virtual: virtualRanks) { world in try command.run(on: world) }
        }
    }

    private func run(on world: any Communicator) throws {
        let text = try options.text()
        for key in allowChange {
            if let failure = RetiredKeys.failure(for: key, at: "--allow-change") { throw failure }
        }
        var configuration = try options.read(of: text)
        var training = TrainingOptions()
        training.allowedChanges = Set(allowChange)
        training.requireNewest = requireNewest
        training.versions = libraryVersions()
        training.abort = abort
        if let from { training.start = .weights(try CheckpointArgument(path: from).open(sharedBy: world).directory) }
        if let branchFrom, let decayTokens {
            let trunk = try CheckpointArgument(path: branchFrom).open(sharedBy: world)
            configuration = try options.read(
                configuration.branchOverrides(from: trunk.record, decayTokens: decayTokens), of: text)
            training.start = .branch(trunk.directory)
        }
        try requireSafeOutputs(configuration, text, start: training.start.checkpoint, on: world)
        guard !check else {
            let forecast = try RunForecast(configuration, training, on: world)
            if world.rank == 0 { try report(forecast) }
            if let obstacle = forecast.obstacle { throw obstacle }
            return
        }
        let progress = ProgressDisplay(isQuiet: quiet.quiet)
        if world.rank == 0, let warning = (try? ForcedKernel.measure())?.warning { progress.log(warning) }
        training.trace = try trace.map { steps throws(Failure) in
            try StepTrace(steps, configuration, on: world)
        }
        let setup = try TrainingSetup(configuration, on: world, options: training, tracer: training.trace?.tracer) {
            progress.log($0)
        }
        try TrainingRun(setup, on: world, progress: progress).run()
        training.trace = nil
        try trainBranches(of: configuration, training, on: world, progress: progress)
    }
}

extension Train {
    private func requireSafeOutputs(
        _ configuration: RunConfiguration, _ text: String, start: String?, on world: any Communicator
    ) throws(Failure) {
        try Agreement(ranks: world).onAllRanks { () throws(Failure) in
            guard world.rank == 0 else { return }
            try InputsAndOutputs.ofRun(
                configuration, file: options.configuration, text: text, start: start
            ).check(.configuration)
        }
    }

    private func report(_ forecast: RunForecast) throws {
        guard json else { return try StandardOutput.write(forecast.description) }
        struct Answer: Encodable {
            var memoryBytes: [String: Int]
            var totalMemoryBytes: Int
        }
        try printJSON(
            Answer(
                memoryBytes: Dictionary(
                    uniqueKeysWithValues: forecast.memory.rows.map { ($0.kind, $0.bytes) }),
                totalMemoryBytes: forecast.memory.total),
            snakeCase: true)
    }
}

extension TracedSteps: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
