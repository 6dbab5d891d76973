import ArgumentParser
import Diagnostics

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs the body of a command: a `Failure` becomes one message on standard error and its exit code.
func reportingFailures(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch let failure as Failure {
        complain(failure.description)
        throw ExitCode(failure.status.rawValue)
    }
}

/// One message on standard error, written whole.
func complain(_ message: String) {
    let line = "switchyard: \(message)\n"
    line.utf8.withContiguousStorageIfAvailable { bytes in _ = unsafe write(2, bytes.baseAddress, bytes.count) }
}
