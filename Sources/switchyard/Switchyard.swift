import ArgumentParser
import Diagnostics

@main
struct Switchyard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switchyard",
        abstract: "Trains Mixture-of-Experts language models over MPI and decides which model to train.",
        subcommands: [
            Train.self, Tokenize.self, PlanCommand.self, FitCommand.self, Bench.self,
        ])
}
