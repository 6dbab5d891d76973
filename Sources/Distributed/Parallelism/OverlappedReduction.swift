package import Collectives
import Data
package import Model
package import Threading

/// Sums buckets of gradients on a thread of its own while the backward pass that makes the others goes on.
///
/// Every step has its thread, which takes the buckets in their order. It communicates on communicators of its own.
package final class OverlappedReduction: Sendable {
    private let buckets: [Bucket]
    private let progress = Monitor(Progress())
    private let thread: JoinableThread

    fileprivate struct Progress: Sendable {
        /// Buckets whose gradients are complete.
        var complete = 0
        /// Whether nobody will hand over any more.
        var isAbandoned = false
        /// Seconds spent in sums once all ranks had come.
        var seconds = 0.0
        var failure: CommunicationError?
    }

    /// - Parameters:
    ///   - reduction: in the background
    ///   - tracer: for the thread, told of every bucket
    package init(_ gradients: GradientAccumulator, _ reduction: GradientReduction, tracer: Tracer? = nil) {
        buckets = reduction.buckets
        let sums = BackgroundReduction(gradients: gradients, reduction: reduction, progress: progress, tracer: tracer)
        thread = JoinableThread { sums.run() }
    }

    /// A step that fails does not wait for its thread, which ends by itself.
    deinit { progress.update { $0.isAbandoned = true } }

    /// Hands over the buckets that are complete once the last backward pass has come through a block.
    /// - Parameters:
    ///   - block: its number, as `Bucket.block`
    ///   - preparing: called with each bucket's range before it is reduced
    package func reduceCompleted(through block: Int, preparing: (Range<Int>) -> Void) {
        let first = progress.update { $0.complete }
        var next = first
        while next < buckets.count, buckets[next].block >= block {
            preparing(buckets[next].range)
            next += 1
        }
        if next > first { progress.update { $0.complete = next } }
    }

    /// Waits for the sums of all buckets, which must have been handed over. **Collective** over the world.
    package func finish(on world: any Communicator, clock: CommunicationClock) throws(CommunicationError) {
        precondition(progress.update { $0.complete } == buckets.count, "buckets that nobody completed")
        try clock.wait { () throws(CommunicationError) in try world.barrier() }
        try clock.reduce { () throws(CommunicationError) in
            thread.join()
            if let failure = progress.update({ $0.failure }) { throw failure }
        }
        clock.overlapped(progress.update { $0.seconds })
    }
}

/// What the thread of a step does.
private struct BackgroundReduction: Sendable {
    let gradients: GradientAccumulator
    let reduction: GradientReduction
    let progress: Monitor<OverlappedReduction.Progress>
    let tracer: Tracer?

    func run() {
        for index in reduction.buckets.indices {
            let goesOn = progress.wait { state -> Bool? in
                state.complete > index ? true : state.isAbandoned ? false : nil
            }
            guard goesOn else { return }
            do throws(CommunicationError) {
                let seconds = try sum(index)
                progress.update { $0.seconds += seconds }
            } catch {
                return progress.update { $0.failure = error }
            }
        }
    }

    /// - Returns: seconds since all ranks had come
    private func sum(_ index: Int) throws(CommunicationError) -> Double {
        let bucket = reduction.buckets[index], clock = ContinuousClock()
        tracer?.begin(.waiting, index)
        defer { tracer?.end() }
        try reduction.wait(forHoldersOf: bucket)
        tracer?.end()
        tracer?.begin(.reduction, index, bytes: gradients.sums(bucket.range).bytes)
        let start = clock.now
        try reduction.sum(bucket, of: gradients)
        return (clock.now - start) / .seconds(1)
    }
}
