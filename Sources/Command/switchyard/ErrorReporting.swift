import ArgumentParser
import Collectives
import Diagnostics
import HDF5
import Platform

/// Runs the body of a command: a `Failure` becomes one message on standard error and its exit code, and so does what
/// nobody foresaw.
func reportingFailures(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch let failure as Failure {
        printError(failure.description)
        throw ExitCode(failure.status.rawValue)
    } catch let code as ExitCode {
        throw code
    } catch {
        let failure = asFailure(error)
        printError(failure.description)
        throw ExitCode(failure.status.rawValue)
    }
}

/// Any error as a `Failure`: one of a library's wrapper, or a defect.
func asFailure(_ error: any Error) -> Failure {
    switch error {
    case let failure as Failure: failure
    case let error as CommunicationError: Failure(communication: error)
    case let error as HDF5Error: Failure(hdf5: error)
    default: Failure(.software, "\(error)", advice: "please report this message")
    }
}

/// Ends this process at once, from any thread; under mpirun the other ranks are ended with it.
@Sendable func abort(_ failure: Failure) {
    printError(failure.description)
    _exit(failure.status.rawValue)
}

/// One message on standard error, written whole.
func printError(_ message: String) {
    printWhole("switchyard: \(message)")
}

/// Writes text to standard error at once, without what a terminal would obey.
func printWhole(_ text: String) {
    let line = visible(text, keepingLines: true) + "\n"
    unsafe line.utf8.withContiguousStorageIfAvailable { bytes in _ = unsafe write(2, bytes.baseAddress, bytes.count) }
}
