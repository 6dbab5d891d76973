import ArgumentParser

/// `switchyard bench`: figures of this machine.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures this machine.", subcommands: [BenchCheckpoint.self])
}
