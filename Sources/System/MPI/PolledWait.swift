import COpenMPI
import Collectives
import Platform

extension MPICommunicator {
    /// Makes a call and returns when it is complete: the blocking one, or with a wait policy the non-blocking one (MPI 3.1,
    /// section 5.12), because the library's own waiting takes all of a processor, half of it from a thread that computes there.
    /// Between its looks the thread naps, or lets other processes pass if no thread of the rank computes.
    /// - Throws: also when the wait is in vain; what was started is then never completed, and the job must end
    func complete(
        _ call: String, _ blocking: () -> Int32, patiently start: (UnsafeMutablePointer<MPI_Request?>) -> Int32
    ) throws(CommunicationError) {
        guard let waitPolicy else { return try check(blocking(), call) }
        var request: MPI_Request?, isDone: Int32 = 0
        try check(unsafe start(&request), call)
        while true {
            try check(unsafe MPI_Test(&request, &isDone, shim_status_ignore()), call)
            if isDone != 0 { return }
            if waitPolicy.isCancelled { throw CommunicationError(cancelled: call) }
            if let pollInterval = waitPolicy.pollInterval { usleep(pollInterval) } else { sched_yield() }
        }
    }
}
