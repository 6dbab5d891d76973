import ArgumentParser
import CStartup
import CPlatform
import Diagnostics
import Foundation
import Model

@main
struct Switchyard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switchyard",
        abstract: "Trains Mixture-of-Experts language models over MPI and decides which model to train.",
        version: VersionReport.title,
        subcommands: [
            InitCommand.self, Train.self, Evaluate.self, Generate.self, Tokenize.self, PlanCommand.self,
            FitCommand.self,
            SweepCommand.self, ReportCommand.self, WatchCommand.self, Convert.self,
            Inspect.self, Verify.self, ReplayCommand.self, Bench.self, DoctorCommand.self,
            GemmRateCommand.self,
        ])

    /// As the parser's own, except that of many ranks with the same wrong command line one says so.
    static func main() {
        prepare_for_libraries()
        do {
            StandardOutput.reserve()
            try reportingFailures { try requireReadableArguments() }
            try requireKnownCommand(Self.self, at: 1)
            var command = try parseAsRoot()
            try prepareForRequests(to: command)
            try command.run()
            try reportingFailures { try StandardOutput.close() }
        } catch {
            if let answer = answerToHelp(error) { exit(withError: answer) }
            if let rank = launchedRank, rank > 0, !(error is ExitCode) {
                exitBeforeWork(exitCode(for: error).rawValue, rank: rank)
            }
            // Where memory is refused OpenBLAS's threads never end, and `exit` would wait for them.
            if let code = error as? ExitCode, code.rawValue == ExitStatus.unavailable.rawValue { _exit(code.rawValue) }
            if error is ExitCode { exit(withError: error) }
            // What the parser says quotes the command line.
            printWhole(fullMessage(for: error))
            exitBeforeWork(exitCode(for: error).rawValue, rank: 0)
        }
    }

    /// The help or the version that was asked for goes the way of all results.
    /// - Returns: how that ended; nil if `error` is no such request
    private static func answerToHelp(_ error: any Error) -> (any Error)? {
        guard exitCode(for: error) == .success, !(error is ExitCode), (launchedRank ?? 0) == 0 else { return nil }
        do {
            try reportingFailures {
                let message = fullMessage(for: error)
                try StandardOutput.write(message == VersionReport.title ? VersionReport.text : message)
                try StandardOutput.close()
            }
            return ExitCode.success
        } catch {
            return error
        }
    }
}

/// Ends a process whose command line was wrong: mpirun ends all ranks as soon as one fails, and rank 0 must have spoken before.
func exitBeforeWork(_ code: Int32, rank: Int) -> Never {
    platform_release_requests()
    if rank > 0, code != 0 { sleep(2) }
    exit(code)
}

/// The parser would call the name of a command that does not exist an unexpected argument.
/// - Parameter place: of the argument that names a subcommand of `command`
private func requireKnownCommand(_ command: any ParsableCommand.Type, at place: Int) throws(ValidationError) {
    let subcommands = command.configuration.subcommands
    guard !subcommands.isEmpty, CommandLine.arguments.count > place else { return }
    let word = CommandLine.arguments[place]
    guard !word.hasPrefix("-"), word != "help" else { return }
    if let next = subcommands.first(where: { name(of: $0) == word }) {
        return try requireKnownCommand(next, at: place + 1)
    }
    let known = subcommands.filter { $0.configuration.shouldDisplay }.map { name(of: $0) }
    let near = nearestName(to: word, among: known)
    throw ValidationError(
        "there is no command `\(word)`; "
            + (near.map { "did you mean `\($0)`?" } ?? "the commands are \(known.joined(separator: ", "))"))
}

private func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? "\(command)".lowercased()
}

/// Refuses arguments that are not UTF-8: as texts they would name other files.
private func requireReadableArguments() throws(Failure) {
    for place in 1..<max(1, Int(CommandLine.argc)) {
        guard let argument = unsafe CommandLine.unsafeArgv[place], unsafe String(validatingCString: argument) == nil
        else { continue }
        let text = unsafe String(cString: argument)
        throw Failure(
            .usage, "argument \(place), `\(text)`, is not valid UTF-8",
            advice: "name the folder that holds the file, rename it, or make a link with another name: "
                + "ln -s FILE link.txt")
    }
}
