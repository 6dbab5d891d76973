package import Diagnostics

/// What the operating system said about the last call that failed.
package func systemError() -> String { unsafe String(cString: strerror(errno)) }

/// The exit status of the system's call that failed last: `unavailable` if it was refused memory, `other` for any other reason.
package func systemStatus(otherwise other: ExitStatus) -> ExitStatus { errno == ENOMEM ? .unavailable : other }
