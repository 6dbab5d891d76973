import ArgumentParser

@main
struct Switchyard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switchyard",
        abstract: "Trains Mixture-of-Experts language models over MPI and decides which model to train.",
        subcommands: [
            Train.self, Evaluate.self, Generate.self, Tokenize.self, PlanCommand.self, FitCommand.self, Convert.self,
            Inspect.self, Verify.self, ReplayCommand.self, Bench.self, DoctorCommand.self,
            GemmRateCommand.self,
        ])
}
