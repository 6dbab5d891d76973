import Collectives
import Synchronization
import Threading

/// Which of two micro-batches in flight computes: each is on a thread of its own, and only the one that holds the turn lock
/// uses the workers and adds to gradients.
///
/// They take turns at fixed points, whenever one has rows to send or to receive: the order of all sums is a function of the
/// configuration and does not depend on the network's speed.
package final class TurnLock: WaitPolicy {
    private struct State {
        /// The micro-batch that holds the turn lock or is to take it.
        var turn = 0
        var hasLeft = [false, true]
        var error: CommunicationError?
        /// Since when it has been free.
        var released = ContinuousClock.now
    }

    /// Microseconds. With shorter ones less is exposed, but the micro-batch that computes loses more of its core
    /// (docs/performance.md).
    private static let nap: UInt32 = 250

    private let state = Monitor(State())
    private let isHeld = Atomic<Bool>(false)
    private let hasFailed = Atomic<Bool>(false)

    package init() {}

    package var pollInterval: UInt32? { isHeld.load(ordering: .relaxed) ? Self.nap : nil }
    package var isCancelled: Bool { hasFailed.load(ordering: .relaxed) }
    /// The first error.
    var error: CommunicationError? { state.update { $0.error } }

    /// Begins with one micro-batch or two; micro-batch 0 holds the turn lock.
    func start(microBatches: Int) {
        isHeld.store(true, ordering: .relaxed)
        state.update { $0 = State(hasLeft: [false, microBatches < 2]) }
    }

    /// Releases the turn lock, because micro-batch `microBatch` has to wait for other ranks.
    func release(by microBatch: Int) { next(after: microBatch) { _ in } }

    /// Waits for the turn of micro-batch `microBatch`, which then holds the turn lock. Returns since when the lock had been
    /// free.
    /// - Throws: if the other micro-batch has failed
    func acquire(by microBatch: Int) throws(CommunicationError) -> ContinuousClock.Instant {
        let outcome = state.wait { state -> Result<ContinuousClock.Instant, CommunicationError>? in
            if state.error != nil { return .failure(CommunicationError(cancelled: "a micro-batch's turn")) }
            guard state.turn == microBatch, !isHeld.load(ordering: .relaxed) else { return nil }
            return .success(state.released)
        }
        let since = try outcome.get()
        isHeld.store(true, ordering: .relaxed)
        return since
    }

    /// Ends the turns of micro-batch `microBatch`, which is complete or has failed with `error`.
    func finish(_ microBatch: Int, after error: CommunicationError? = nil) {
        if error != nil { hasFailed.store(true, ordering: .relaxed) }
        next(after: microBatch) { state in
            state.hasLeft[microBatch] = true
            state.error = state.error ?? error
        }
    }

    /// - Parameter change: made before it is decided whose turn it is
    private func next(after microBatch: Int, _ change: (inout State) -> Void) {
        state.update { state in
            change(&state)
            guard state.turn == microBatch else { return }
            isHeld.store(false, ordering: .relaxed)
            state.released = .now
            if !state.hasLeft[1 - microBatch] { state.turn = 1 - microBatch }
        }
    }
}
