package import Collectives
package import Diagnostics
import Platform
import Tensors
import Threading

/// Runs `body` on rank 0 while the other ranks wait. A request to stop that reaches any rank becomes one of rank 0's process,
/// so `body` ends by looking at that process's requests alone. **Collective** over `world`.
///
/// On rank 0 a thread of its own runs `body`, and the calling thread votes with the other ranks several times a second: only
/// this thread may call MPI.
/// - Throws: on every rank what `body` throws
package func longWorkOnRankZero(of world: any Communicator, _ body: @escaping () throws(Failure) -> Void)
    throws(Failure)
{
    if world.size == 1 { return try body() }
    let work = world.rank == 0 ? RankZeroWork(body) : nil
    do {
        // `[leave, work]`
        let votes = Vector<Double>(count: 2)
        repeat {
            let isDone = work?.isDone(waiting: .milliseconds(200)) ?? true
            votes[0] = SignalRequests.pending.contains(.stop) ? 1 : 0
            votes[1] = isDone ? 0 : 1
            try world.allReduceMaximum(votes)
            if votes[0] > 0, work != nil { SignalRequests.note(.stop) }
            // Waiting inside MPI takes a whole processor, which `body` can use.
            if votes[1] > 0, work == nil { usleep(150_000) }
        } while votes[1] > 0
    } catch {
        // `body` must end before its captures may go.
        SignalRequests.note(.stop)
        try? work?.join()
        throw Failure(communication: error)
    }
    try Agreement(ranks: world).onAllRanks { () throws(Failure) in try work?.join() }
}

/// A body on a thread of its own.
private final class RankZeroWork {
    private let outcome: Monitor<Result<Void, Failure>?>
    private let thread: JoinableThread
    private var isJoined = false

    init(_ body: @escaping () throws(Failure) -> Void) {
        let outcome = Monitor<Result<Void, Failure>?>(nil)
        self.outcome = outcome
        // The caller only waits until the thread has ended, so the body is never used by two threads at a time.
        nonisolated(unsafe) let body = body
        thread = JoinableThread {
            do throws(Failure) {
                try unsafe body()
                outcome.update { $0 = .success(()) }
            } catch {
                outcome.update { $0 = .failure(error) }
            }
        }
    }

    func isDone(waiting limit: Duration) -> Bool {
        outcome.wait(upTo: limit) { $0 == nil ? nil : () } != nil
    }

    func join() throws(Failure) {
        if !isJoined { thread.join() }
        isJoined = true
        try outcome.update { $0 }?.get()
    }
}
