import CPlatform
package import Diagnostics

/// What signals ask of this process (docs/glossary.md): a thread of its own notes them, and who works looks here.
///
/// A rank alone never saves or stops: `RunControl` turns what one rank has noted into what all do.
package struct SignalRequests: OptionSet, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// Save a checkpoint and go on.
    package static let save = SignalRequests(rawValue: Int32(platform_request_save))
    /// Save a checkpoint and stop.
    package static let stop = SignalRequests(rawValue: Int32(platform_request_stop))

    /// Those that were noted and not taken.
    package static var pending: SignalRequests { SignalRequests(rawValue: platform_pending_requests()) }

    /// Those since the last call; clears them.
    package static func take() -> SignalRequests { SignalRequests(rawValue: platform_take_requests()) }

    /// Notes requests that reached this process by another way than a signal.
    package static func note(_ requests: SignalRequests) { platform_note_request(requests.rawValue) }

    /// Ends long work of one rank when the job has been asked to stop: the ranks that wait for it hear of it with its failure.
    /// - Throws: `temporaryFailure`
    package static func throwIfStopRequested(during work: String) throws(Failure) {
        guard pending.contains(.stop) else { return }
        throw Failure.stopped("while \(work)")
    }
}

extension Failure {
    /// A request to stop reached a job that has nothing to save.
    /// - Parameter work: what it was doing, such as "during a validation"
    package static func stopped(_ work: String) -> Failure {
        Failure(
            .temporaryFailure, "asked to leave \(work): there is nothing to save",
            advice: "start the same command again")
    }
}
