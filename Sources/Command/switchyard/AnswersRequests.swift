import ArgumentParser
import CPlatform
import Diagnostics
import Platform

/// A command that saves or leaves in order when a signal asks for it. Every other command is ended by the signal.
protocol AnswersRequests {
    var answersRequests: Bool { get }
}

extension AnswersRequests {
    var answersRequests: Bool { true }
}

/// Decides what becomes of the signals that were held since the program's start: a thread takes them, or they act as usual.
/// Before MPI or any other thread starts.
func prepareForRequests(to command: any ParsableCommand) throws {
    guard let command = command as? any AnswersRequests, command.answersRequests else {
        return platform_release_requests()
    }
    let status = platform_watch_requests()
    guard status != 0 else { return }
    printError("cannot start the thread that takes signals: \(unsafe String(cString: strerror(status)))")
    throw ExitCode(ExitStatus.unavailable.rawValue)
}
