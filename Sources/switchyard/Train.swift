import ArgumentParser
import Collectives
import CPlatform
import Diagnostics
import Metrics
import Training

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model as a configuration file says, alone or under mpirun.",
        discussion: "docs/configuration.md lists every key. Exit codes: docs/exit-codes.md.")

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Say what would happen, and whether it fits in memory; do nothing.")
    var check = false

    @Option(help: "Run this many ranks inside one process, without mpirun: for debuggers and tests.")
    var virtualRanks: Int?

    @Option(help: "Go on although this key differs from the run's checkpoint. May be repeated.")
    var allowChange: [String] = []

    func validate() throws {
        if let virtualRanks, virtualRanks < 1 { throw ValidationError("--virtual-ranks must be at least 1") }
    }

    func run() throws {
        _ = platform_die_with_parent()
        try reportingFailures {
            let (options, check, allowed) = (options, check, Set(allowChange))
            try onAllRanks(virtual: virtualRanks) { world in
                let configuration = try options.read()
                if check {
                    try checkRun(configuration, on: world)
                } else {
                    try train(configuration, allowing: allowed, on: world)
                }
            }
        }
    }
}

private func train(
    _ configuration: RunConfiguration, allowing allowed: Set<String>, on world: any Communicator
) throws {
    let progress = ProgressLine()
    let setup = try TrainingSetup(configuration, on: world) { progress.say($0) }
    var options = TrainingOptions()
    options.allowedChanges = allowed
    try TrainingRun(setup, on: world, progress: progress, options: options).run()
}

private func checkRun(_ configuration: RunConfiguration, on world: any Communicator) throws {
    let plan = try RunForecast(configuration, on: world)
    if world.rank == 0 { print(plan.description) }
}
