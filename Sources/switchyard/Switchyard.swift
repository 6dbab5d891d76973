import ArgumentParser
import CHeldSignals
import CPlatform
import Foundation

@main
struct Switchyard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switchyard",
        abstract: "Trains Mixture-of-Experts language models over MPI and decides which model to train.",
        version: VersionReport.title,
        subcommands: [
            Train.self, Evaluate.self, Generate.self, Tokenize.self, PlanCommand.self, FitCommand.self, Convert.self,
            Inspect.self, Verify.self, ReplayCommand.self, Bench.self, DoctorCommand.self,
            GemmRateCommand.self,
        ])

    /// As the parser's own, except that of many ranks with the same wrong command line one says so.
    static func main() {
        hold_signals()
        do {
            StandardOutput.reserve()
            var command = try parseAsRoot()
            try prepareForRequests(to: command)
            try command.run()
            try reportingFailures { try StandardOutput.close() }
        } catch {
            if let answer = answerToHelp(error) { exit(withError: answer) }
            if let rank = launchedRank, rank > 0, !(error is ExitCode) {
                let code = exitCode(for: error)
                platform_release_requests()
                // mpirun ends all ranks as soon as one fails: the first must have spoken.
                if code != .success { sleep(2) }
                Foundation.exit(code.rawValue)
            }
            exit(withError: error)
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
