import COpenMPI
import Collectives

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Between two looks of a thread that leaves the processor to another, in microseconds.
private let nap: UInt32 = 250

/// Starts a non-blocking collective and returns when it is done (MPI 3.1, section 5.12).
///
/// While another thread of the rank computes, the thread naps between its looks: a blocking call would look all the time
/// and take half a core from the one that computes. Otherwise it lets other processes pass, if any want the core.
/// - Throws: also when the wait is in vain; what was started is then never completed, and the job must end
func complete(
    _ call: String, _ patience: any Patience, _ start: (UnsafeMutablePointer<MPI_Request?>) -> Int32
) throws(CommunicationError) {
    var request: MPI_Request?, isDone: Int32 = 0
    try check(unsafe start(&request), call)
    while true {
        try check(unsafe MPI_Test(&request, &isDone, shim_status_ignore()), call)
        if isDone != 0 { return }
        if patience.isInVain { throw CommunicationError(inVain: call) }
        if patience.othersCompute { usleep(nap) } else { sched_yield() }
    }
}
