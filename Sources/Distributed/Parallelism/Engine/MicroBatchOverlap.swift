package import Collectives
package import Threading

/// Computes the micro-batches of `accumulationSteps` rounds in order, or two at a time, the even ones as micro-batch 0 in
/// flight and the odd ones as micro-batch 1. **Collective** if `body` is.
/// - Parameters:
///   - turnLock: nil for one at a time
///   - workers: of each micro-batch in flight
///   - body: computes one micro-batch, and hands over the turn lock while it exchanges
package func computeMicroBatches(
    accumulationSteps: Int, passing turnLock: TurnLock?, on workers: [ThreadPool],
    _ body: @escaping @Sendable (_ inFlight: Int, _ accumulationStep: Int) throws(CommunicationError) -> Void
) throws(CommunicationError) {
    guard let turnLock, accumulationSteps > 1 else {
        for accumulationStep in 0..<accumulationSteps { try body(0, accumulationStep) }
        return
    }
    @Sendable func compute(_ microBatch: Int) {
        do throws(CommunicationError) {
            if microBatch > 0 { _ = try turnLock.acquire(by: microBatch) }
            for accumulationStep in stride(from: microBatch, to: accumulationSteps, by: 2) {
                try body(microBatch, accumulationStep)
            }
            turnLock.finish(microBatch)
        } catch {
            turnLock.finish(microBatch, after: error)
        }
    }
    turnLock.start(microBatches: 2)
    let second = JoinableThread {
        workers[1].prepareCallingThread()
        compute(1)
    }
    compute(0)
    workers[0].tracer?.begin(.turnWait)
    second.join()
    workers[0].tracer?.end()
    if let error = turnLock.error { throw error }
    // What micro-batch 0's dispatcher does elsewhere, it does alone.
    turnLock.start(microBatches: 1)
}
