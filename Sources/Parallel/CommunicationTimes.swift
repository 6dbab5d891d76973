package import Tracing

/// Seconds this rank spent communicating, by kind; waiting for a slower rank is its own figure.
package struct CommunicationTimes: Sendable {
    /// Until the slowest rank of the group had come.
    package var waiting = 0.0
    /// Tokens to experts and back, once all had come.
    package var exchange = 0.0
    /// Gradients and losses summed over ranks, once all had come.
    package var reduction = 0.0
    /// Gradients summed while the rank computed, once all had come: hidden, in none of the others.
    package var overlappedReduction = 0.0

    package init() {}
}

/// Measures a collective: first the wait for the others, by a barrier, then the call itself.
package final class CommunicationClock {
    package private(set) var times = CommunicationTimes()
    private var lastReduction = 0.0
    private let clock = ContinuousClock()
    private let tracer: Tracer?

    package init(tracer: Tracer? = nil) { self.tracer = tracer }

    package func reset() { times = CommunicationTimes() }

    package func wait<E: Error>(_ body: () throws(E) -> Void) throws(E) {
        tracer?.begin(.waiting)
        let start = clock.now
        try body()
        tracer?.end()
        times.waiting += seconds(since: start)
    }

    package func exchange<E: Error>(_ body: () throws(E) -> Void) throws(E) {
        tracer?.begin(.exchange)
        let start = clock.now
        try body()
        tracer?.end()
        times.exchange += seconds(since: start)
    }

    package func reduce<E: Error>(_ body: () throws(E) -> Void) throws(E) {
        tracer?.begin(.reduction)
        let start = clock.now
        try body()
        tracer?.end()
        lastReduction = seconds(since: start)
        times.reduction += lastReduction
    }

    /// Sums took `seconds` in the background, of which the rank has stood still for what `reduce` measured last.
    package func overlapped(_ seconds: Double) {
        times.overlappedReduction += max(0, seconds - lastReduction)
    }

    private func seconds(since start: ContinuousClock.Instant) -> Double {
        (clock.now - start) / .seconds(1)
    }
}
