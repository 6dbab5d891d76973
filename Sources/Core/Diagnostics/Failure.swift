/// The exit codes of all programs, mostly the values of BSD's `sysexits.h`, so that scripts can branch on them.
/// 77 (resource in use) and 79 (training diverged) are Switchyard's own.
package enum ExitStatus: Int32, Sendable, CaseIterable {
    case success = 0
    /// The command line is wrong.
    case usage = 64
    /// Something read from outside is damaged or of the wrong kind.
    case data = 65
    /// A file that was named does not exist or cannot be read.
    case noInput = 66
    /// Something that must be there is not: memory, a library, a device.
    case unavailable = 69
    /// A defect of Switchyard itself.
    case software = 70
    /// A directory or file cannot be written.
    case cannotCreate = 73
    /// Reading or writing failed after it had begun.
    case inputOutput = 74
    /// Stopped on request: the state is saved, start the same command again.
    case temporaryFailure = 75
    /// Communication between ranks failed.
    case communication = 76
    /// A resource is in use by another process, for example the run directory.
    case inUse = 77
    /// The configuration is wrong.
    case configuration = 78
    /// Training diverged: a loss or gradient is no longer a finite number.
    case diverged = 79
    /// The reader of standard output has gone; the code of a shell whose command SIGPIPE ended. The only one without a message.
    case brokenPipe = 141
}

/// An error on which a user can act: what failed, why, and what to do about it.
package struct Failure: Error, Sendable, Equatable {
    package var status: ExitStatus
    package var message: String
    package var advice: String?

    /// Escapes control characters: a message may quote names from outside.
    package init(_ status: ExitStatus, _ message: String, advice: String? = nil) {
        self.status = status
        self.message = visible(message, keepingLines: true)
        self.advice = advice.map { visible($0, keepingLines: true) }
    }
}

extension Failure: CustomStringConvertible {
    /// `message`, and on a line of its own what to do.
    package var description: String {
        guard let advice else { return message }
        return "\(message)\n  \(advice)"
    }
}
