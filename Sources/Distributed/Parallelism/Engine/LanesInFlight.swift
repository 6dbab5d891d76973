package import Collectives
package import Threading

/// Computes the lanes of `rounds` rounds in order, or two at a time, the even ones as lane 0 in flight and the odd ones as
/// lane 1. **Collective** if `body` is.
/// - Parameters:
///   - baton: nil for one at a time
///   - workers: of each lane in flight
///   - body: computes one lane, and hands over the baton while it exchanges
package func computeLanes(
    rounds: Int, passing baton: Baton?, on workers: [Workers],
    _ body: @escaping @Sendable (_ inFlight: Int, _ round: Int) throws(CommunicationError) -> Void
) throws(CommunicationError) {
    guard let baton, rounds > 1 else {
        for round in 0..<rounds { try body(0, round) }
        return
    }
    @Sendable func compute(_ lane: Int) {
        do throws(CommunicationError) {
            if lane > 0 { _ = try baton.take(by: lane) }
            for round in stride(from: lane, to: rounds, by: 2) { try body(lane, round) }
            baton.leave(lane)
        } catch {
            baton.leave(lane, after: error)
        }
    }
    baton.start(lanes: 2)
    let second = JoinableThread {
        workers[1].enlist()
        compute(1)
    }
    compute(0)
    workers[0].tracer?.begin(.turn)
    second.join()
    workers[0].tracer?.end()
    if let error = baton.error { throw error }
    // What lane 0's dispatcher does elsewhere, it does alone.
    baton.start(lanes: 1)
}
