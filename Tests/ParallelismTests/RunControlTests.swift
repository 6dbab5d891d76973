import Collectives
import Diagnostics
import Dispatch
import Parallelism
import Synchronization
import Tensors
import Testing

@Suite("Requests", .timeLimit(.minutes(60))) struct RunControlTests {
    @Test("a rank that hangs right after its vote does not keep the others from leaving") func hangsAfterVote() throws {
        let failure = Mutex<Failure?>(nil), hasGivenUp = DispatchSemaphore(value: 0)
        _ = try VirtualRanks.run(2) { world in
            if world.rank == 1 {
                // As a rank votes: nothing first, then that it was asked to stop. It hangs until rank 0 has given up.
                try world.allReduceMaximum(Vector<Double>(count: 5))
                let vote = Vector<Double>(count: 5)
                vote[1] = 1
                try world.allReduceMaximum(vote)
                // Rank 0 meets it only if it has waited.
                if hasGivenUp.wait(timeout: .now() + .seconds(30)) == .success { try world.barrier() }
                return
            }
            let abort: @Sendable (Failure) -> Void = { reason in
                failure.withLock { $0 = reason }
                hasGivenUp.signal()
            }
            let requests = RunControl(world, abort: abort, allowance: .milliseconds(1))
            #expect(try !requests.agree(isOverdue: false, isWriting: false).shouldStop)
            #expect(try requests.agree(isOverdue: false, isWriting: false).shouldStop)
        }
        let reason = failure.withLock { $0 }
        #expect(reason?.status == .communication && reason?.message.contains("gives up") == true)
    }
}
