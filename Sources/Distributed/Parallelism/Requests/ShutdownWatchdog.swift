import Diagnostics
import Platform
import Threading

/// Ends a rank that was asked to leave and waits in vain for the others: a rank that hangs, or a machine that is gone, must
/// not keep the rest of the job from ending.
///
/// A thread of its own, because the rank itself may stand in a collective that never returns. It communicates nothing.
final class ShutdownWatchdog: Sendable {
    private struct State {
        var isOver = false
        /// Nothing is expected of the ranks: before they first agree, and while they save, which takes as long as it takes.
        var isAway = true
        /// The rank has read the request and the ranks have not agreed on it yet.
        var isAsked = false
        var lastAgreement = ContinuousClock.now
        /// The longest time between two agreements.
        var longest = Duration.zero
    }

    private let state: Monitor<State>
    private let thread: JoinableThread

    /// - Parameters:
    ///   - allowance: what the other ranks get besides three times the longest time that they needed so far
    ///   - abort: called once, by the thread; ends the process
    init(rank: Int, allowance: Duration, abort: @escaping @Sendable (Failure) -> Void) {
        let state = Monitor(State())
        self.state = state
        thread = JoinableThread {
            var askedSince: ContinuousClock.Instant?
            while state.wait(upTo: .milliseconds(500), until: { $0.isOver ? () : nil }) == nil {
                let (isAsked, isAway, longest) = state.update { ($0.isAsked, $0.isAway, $0.longest) }
                let isPending = SignalRequests.pending.contains(.stop)
                guard !isAway, isAsked || isPending else {
                    askedSince = nil
                    continue
                }
                let since = askedSince ?? .now
                askedSince = since
                guard ContinuousClock.now - since > allowance + longest * 3 else { continue }
                return abort(Self.failure(rank: rank, after: ContinuousClock.now - since))
            }
        }
    }

    private static func failure(rank: Int, after waited: Duration) -> Failure {
        Failure(
            .communication,
            "rank \(rank) was asked to leave \(waited.components.seconds) s ago, but the ranks have not agreed since: "
                + "another rank hangs or is gone, so this one gives up without saving",
            advice: "the last checkpoint stands; start the same command again")
    }

    deinit {
        state.update { $0.isOver = true }
        thread.join()
    }

    /// The rank comes to agree.
    func comes(asked: Bool) { state.update { $0.isAsked = asked } }

    /// The ranks have agreed.
    func hasAgreed() {
        state.update { state in
            let now = ContinuousClock.now
            state.isAsked = false
            if state.isAway { state.lastAgreement = now }
            state.isAway = false
            state.longest = max(state.longest, now - state.lastAgreement)
            state.lastAgreement = now
        }
    }

    /// Until `resume`, waiting is no sign of a rank that hangs.
    func suspend() { state.update { $0.isAway = true } }

    func resume() {
        state.update { state in
            state.isAway = false
            state.lastAgreement = .now
        }
    }
}
