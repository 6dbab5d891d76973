import Collectives
import Synchronization
import Threading

/// Which of two lanes in flight computes: each is on a thread of its own, and only the one that holds the baton uses the
/// workers and adds to gradients.
///
/// They take turns at fixed points, whenever one has rows to send or to get: the order of all sums is a function of the
/// configuration and not of the network's.
package final class Baton: Patience {
    private struct State {
        /// The lane that holds the baton or is to take it.
        var turn = 0
        var hasLeft = [false, true]
        var error: CommunicationError?
        /// Since when nobody has held it.
        var putDown = ContinuousClock.now
    }

    /// Microseconds. With shorter ones less is exposed, but the lane that computes loses more of its core (docs/performance.md).
    private static let nap: UInt32 = 250

    private let state = Monitor(State())
    private let isHeld = Atomic<Bool>(false)
    private let hasFailed = Atomic<Bool>(false)

    package init() {}

    package var pause: UInt32? { isHeld.load(ordering: .relaxed) ? Self.nap : nil }
    package var isInVain: Bool { hasFailed.load(ordering: .relaxed) }
    /// What went wrong first.
    var error: CommunicationError? { state.change { $0.error } }

    /// One lane sets out, or two; lane 0 holds the baton.
    func start(lanes: Int) {
        isHeld.store(true, ordering: .relaxed)
        state.change { $0 = State(hasLeft: [false, lanes < 2]) }
    }

    /// Lane `lane` has something to wait for.
    func putDown(by lane: Int) { next(after: lane) { _ in } }

    /// Returns when it is the turn of lane `lane`, which then holds the baton, with the time since when nobody had.
    /// - Throws: if the other lane has failed
    func take(by lane: Int) throws(CommunicationError) -> ContinuousClock.Instant {
        let outcome = state.wait { state -> Result<ContinuousClock.Instant, CommunicationError>? in
            if state.error != nil { return .failure(CommunicationError(inVain: "a lane's turn")) }
            guard state.turn == lane, !isHeld.load(ordering: .relaxed) else { return nil }
            return .success(state.putDown)
        }
        let since = try outcome.get()
        isHeld.store(true, ordering: .relaxed)
        return since
    }

    /// Lane `lane` is done, for good or because of `error`.
    func leave(_ lane: Int, after error: CommunicationError? = nil) {
        if error != nil { hasFailed.store(true, ordering: .relaxed) }
        next(after: lane) { state in
            state.hasLeft[lane] = true
            state.error = state.error ?? error
        }
    }

    /// - Parameter change: made before it is decided whose turn it is
    private func next(after lane: Int, _ change: (inout State) -> Void) {
        state.change { state in
            change(&state)
            guard state.turn == lane else { return }
            isHeld.store(false, ordering: .relaxed)
            state.putDown = .now
            if !state.hasLeft[1 - lane] { state.turn = 1 - lane }
        }
    }
}
