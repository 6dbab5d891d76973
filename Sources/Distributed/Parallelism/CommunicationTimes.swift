package import Threading

/// Seconds this rank spent communicating while no micro-batch computed, by kind; waiting for a slower rank is its own figure.
package struct CommunicationTimes: Sendable, Equatable {
    /// Until the slowest rank of the group had come.
    package var waiting = 0.0
    /// Tokens to experts and back, once all had come.
    package var exchange = 0.0
    /// Gradients and losses summed over ranks, once all had come.
    package var reduction = 0.0
    /// Waiting and exchanging of one micro-batch in flight while the other computed.
    package var hidden = 0.0
    /// Gradients summed while the rank computed, once all had come: hidden, in none of the others.
    package var overlappedReduction = 0.0

    package init() {}

    package static func + (a: CommunicationTimes, b: CommunicationTimes) -> CommunicationTimes {
        var sum = a
        sum.waiting += b.waiting
        sum.exchange += b.exchange
        sum.reduction += b.reduction
        sum.hidden += b.hidden
        sum.overlappedReduction += b.overlappedReduction
        return sum
    }
}

/// Measures a collective: first the wait for the others, by a barrier, then the call itself. For one thread.
package final class CommunicationClock {
    package private(set) var times = CommunicationTimes()
    private var lastReduction = 0.0
    private let clock = ContinuousClock()
    private let tracer: Tracer?
    /// What happened in the background so far; nil in the foreground.
    private var background: [Interval]?

    private struct Interval {
        let phase: Phase
        let start: ContinuousClock.Instant
        let end: ContinuousClock.Instant
    }

    package init(tracer: Tracer? = nil) { self.tracer = tracer }

    package func reset() { times = CommunicationTimes() }

    package func wait<E: Error>(_ body: () throws(E) -> Void) throws(E) { try measure(.waiting, body) }

    package func exchange<E: Error>(_ body: () throws(E) -> Void) throws(E) { try measure(.exchange, body) }

    package func reduce<E: Error>(_ body: () throws(E) -> Void) throws(E) { try measure(.reduction, body) }

    /// Measures `body`, run while the other micro-batch may compute, and splits its time into hidden and exposed.
    /// - Parameters:
    ///   - body: an exchange
    ///   - resume: returns when this micro-batch is to compute again, with the time since when none had
    package func overlapping<E: Error>(
        _ body: () throws(E) -> Void, resume: () throws(E) -> ContinuousClock.Instant
    ) throws(E) {
        background = []
        defer { background = nil }
        try body()
        tracer?.begin(.turnWait)
        defer { tracer?.end() }
        let idleSince = try resume(), now = clock.now
        for interval in background ?? [] {
            let exposed = seconds(from: max(interval.start, idleSince), to: interval.end)
            add(exposed, to: interval.phase)
            times.hidden += seconds(from: interval.start, to: interval.end) - exposed
        }
        // Once all was there, until the micro-batch went on.
        add(seconds(from: max(background?.last?.end ?? idleSince, idleSince), to: now), to: .exchange)
    }

    private func measure<E: Error>(_ phase: Phase, _ body: () throws(E) -> Void) throws(E) {
        tracer?.begin(phase)
        defer { tracer?.end() }
        let start = clock.now
        try body()
        let interval = Interval(phase: phase, start: start, end: clock.now)
        if background != nil {
            background?.append(interval)
        } else {
            add(seconds(from: interval.start, to: interval.end), to: phase)
        }
    }

    /// Sums took `seconds` in the background, of which the rank has stood still for what `reduce` measured last.
    package func overlapped(_ seconds: Double) {
        times.overlappedReduction += max(0, seconds - lastReduction)
    }

    private func add(_ seconds: Double, to phase: Phase) {
        switch phase {
        case .waiting: times.waiting += seconds
        case .reduction:
            times.reduction += seconds
            lastReduction = seconds
        default: times.exchange += seconds
        }
    }

    /// None if `end` is earlier.
    private func seconds(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Double {
        max(0, (end - start) / .seconds(1))
    }
}
