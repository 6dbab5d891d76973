package import Collectives
package import Layers
import Threads

/// Sums buckets of gradients on a thread of its own while the backward pass that makes the others goes on.
///
/// Every step has its thread, which takes the buckets in their order. It communicates on communicators of its own.
package final class OverlappedReduction: Sendable {
    private let buckets: [Bucket]
    private let progress = Monitor(Progress())
    private let thread: JoinableThread

    private struct Progress: Sendable {
        /// Buckets whose gradients are complete.
        var complete = 0
        /// Whether nobody will hand over any more.
        var isAbandoned = false
        /// Seconds spent in sums once all ranks had come.
        var seconds = 0.0
        var failure: CommunicationError?
    }

    /// - Parameter reduction: in the background
    package init(_ gradients: GradientAccumulator, _ reduction: GradientReduction) {
        buckets = reduction.buckets
        let progress = progress
        thread = JoinableThread { Self.work(gradients, reduction, progress) }
    }

    /// A step that fails does not wait for its thread, which ends by itself.
    deinit { progress.change { $0.isAbandoned = true } }

    /// Hands over the buckets that are complete once the last backward pass has come through a block.
    /// - Parameter preparing: is given each bucket's stretch before
    package func handOver(through block: Int, preparing: (Range<Int>) -> Void) {
        let first = progress.change { $0.complete }
        var next = first
        while next < buckets.count, buckets[next].block >= block {
            preparing(buckets[next].range)
            next += 1
        }
        if next > first { progress.change { $0.complete = next } }
    }

    /// Waits for the sums of all buckets, which must have been handed over. **Collective** over the world.
    package func finish(on world: any Communicator, clock: CommunicationClock) throws(CommunicationError) {
        precondition(progress.change { $0.complete } == buckets.count, "buckets that nobody completed")
        try clock.wait { () throws(CommunicationError) in try world.barrier() }
        try clock.reduce { () throws(CommunicationError) in
            thread.join()
            if let failure = progress.change({ $0.failure }) { throw failure }
        }
        clock.overlapped(progress.change { $0.seconds })
    }

    private static func work(
        _ gradients: GradientAccumulator, _ reduction: GradientReduction, _ progress: Monitor<Progress>
    ) {
        let clock = ContinuousClock()
        for (index, bucket) in reduction.buckets.enumerated() {
            let goesOn = progress.wait { state -> Bool? in
                state.complete > index ? true : state.isAbandoned ? false : nil
            }
            guard goesOn else { return }
            do throws(CommunicationError) {
                try reduction.wait(forHoldersOf: bucket)
                let start = clock.now
                try reduction.sum(bucket, of: gradients)
                let seconds = (clock.now - start) / .seconds(1)
                progress.change { $0.seconds += seconds }
            } catch {
                return progress.change { $0.failure = error }
            }
        }
    }
}
