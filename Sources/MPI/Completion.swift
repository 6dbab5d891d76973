import COpenMPI
import Collectives

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension MPICommunicator {
    /// Between two looks at whether a call is complete, microseconds: short beside a message of a megabyte, long beside a
    /// look.
    private static let pause: UInt32 = 50

    /// Makes a call and returns when it is complete. The library's own waiting takes all of a processor; in the background the
    /// call is the non-blocking one, and the thread sleeps between looks (MPI 3.1, section 5.12).
    func complete(
        _ call: String, _ blocking: () -> Int32, inBackground: (UnsafeMutablePointer<MPI_Request?>) -> Int32
    ) throws(CommunicationError) {
        guard isInBackground else { return try check(blocking(), call) }
        var request: MPI_Request?
        try check(unsafe inBackground(&request), call)
        var isComplete: Int32 = 0
        while true {
            try check(unsafe MPI_Test(&request, &isComplete, shim_status_ignore()), call)
            if isComplete != 0 { return }
            usleep(Self.pause)
        }
    }
}
