import Collectives
import Diagnostics
import Parallelism
import Platform

/// Saves during a run and says what came of it. A save that fails costs a warning, not the run, unless nothing would be left
/// of it. All methods are **collective**.
final class CheckpointPolicy {
    private let manager: CheckpointManager
    private let requests: RunControl
    private let log: (String) -> Void
    private let published: () -> Void
    private var stall = Duration.zero

    /// What a save needs to know besides the state.
    struct Position {
        /// Bytes of `metrics.jsonl` that belong to the state, all on the disk. Asked on rank 0.
        var metricsBytes: () throws(Failure) -> Int
        /// Of this very state, if it was measured.
        var validationLoss: Double?
        /// The record of the last step, if its validation was broken off. On rank 0.
        var unfinished: IncompleteRecord?
    }

    /// - Parameters:
    ///   - log: takes what the user should know, on every rank
    ///   - published: is called after each checkpoint, on every rank
    init(
        _ manager: CheckpointManager, _ requests: RunControl, log: @escaping (String) -> Void,
        published: @escaping () -> Void
    ) {
        self.published = published
        self.manager = manager
        self.requests = requests
        self.log = log
    }

    /// How long training stood still since the last time this was asked, in seconds; nil if it did not.
    func drainStallSeconds() -> Double? {
        defer { stall = .zero }
        return stall == .zero ? nil : stall / .seconds(1)
    }

    /// Saves while training goes on, if saves overlap with it, and otherwise at once.
    func save(_ state: TrainingState, _ position: Position) throws(Failure) {
        try measuringStall { () throws(Failure) in
            try finishPending()
            do throws(Failure) {
                try begin(state, position, overlapping: true)
            } catch {
                return try warn(error, step: state.step)
            }
            if !manager.overlaps { try finishPending() }
        }
    }

    /// Saves at once; a failure is thrown.
    func saveNow(_ state: TrainingState, _ position: Position) throws(Failure) {
        try measuringStall { () throws(Failure) in
            try finishPending()
            guard !manager.holds(state.step) else { return }
            try begin(state, position, overlapping: false)
            try publish()
        }
    }

    /// Publishes what was written while training went on.
    func finish() throws(Failure) {
        guard manager.isPending else { return }
        try measuringStall { () throws(Failure) in try finishPending() }
    }

    private func begin(_ state: TrainingState, _ position: Position, overlapping: Bool) throws(Failure) {
        try manager.begin(
            state, metricsBytes: position.metricsBytes, validationLoss: position.validationLoss,
            unfinished: position.unfinished?.text, overlapping: overlapping)
    }

    private func finishPending() throws(Failure) {
        guard let step = manager.pendingStep else { return }
        do {
            try publish()
        } catch {
            try warn(error, step: step)
        }
    }

    private func publish() throws(Failure) {
        log("checkpoint \(try manager.finish())")
        published()
        do {
            try manager.removeOld()
        } catch {
            if error.endsTheRun { throw error }
            log("warning: an old checkpoint could not be removed: \(error)")
        }
    }

    private func warn(_ failure: Failure, step: Int) throws(Failure) {
        if failure.endsTheRun { throw failure }
        log("warning: no checkpoint after step \(step), training goes on: \(failure)")
    }

    private func measuringStall(_ body: () throws(Failure) -> Void) throws(Failure) {
        let start = ContinuousClock.now
        defer { stall += ContinuousClock.now - start }
        try requests.withoutDeadline(body)
    }
}

extension Failure {
    /// The ranks cannot communicate any more, or the run directory is another job's: training cannot go on.
    fileprivate var endsTheRun: Bool { status == .communication || status == .inUse }
}
