package import COpenMPI
package import Collectives
import Platform
package import Tensors

/// A communicator of MPI. All methods are for one thread at a time: the one that started MPI, or another where
/// `supportsThreads` says so.
///
/// Freed by `free()` or with MPI itself, never in `deinit`: freeing is collective.
@safe package final class MPICommunicator: Communicator, @unchecked Sendable {
    // Unchecked because one thread at a time may call, which is MPI's rule and not the type's.
    package let rank: Int
    package let size: Int
    package let supportsThreads = MPIWorld.supportsThreads
    /// For libraries that communicate themselves, such as HDF5.
    package var handle: MPI_Comm { unsafe communicator }
    private var communicator: MPI_Comm
    var rows = RowDatatypes()
    /// Where the pieces of a reduce-scatter arrive.
    var arrived: (any Sendable)?
    /// How a thread beside others waits; nil for the thread that may take all of a processor.
    let waitPolicy: (any WaitPolicy)?
    /// Of the exchange under way.
    let sentWindows, receivedWindows: RankCounts

    /// Elements of one reduction: larger ones go in pieces, because counts are 31 bits and the library's buffers grow
    /// with the count.
    private static let piece = 1 << 26
    /// Bytes of one gather over all ranks.
    private static let gathered = 1 << 30

    init(_ handle: MPI_Comm, _ waitPolicy: (any WaitPolicy)? = nil) throws(CommunicationError) {
        unsafe communicator = unsafe handle
        self.waitPolicy = waitPolicy
        var rank: Int32 = 0, size: Int32 = 0
        try check(unsafe MPI_Comm_set_errhandler(handle, shim_errors_return()), "MPI_Comm_set_errhandler")
        try check(unsafe MPI_Comm_rank(handle, &rank), "MPI_Comm_rank")
        try check(unsafe MPI_Comm_size(handle, &size), "MPI_Comm_size")
        self.rank = Int(rank)
        self.size = Int(size)
        sentWindows = RankCounts(ranks: self.size)
        receivedWindows = RankCounts(ranks: self.size)
    }

    package func barrier() throws(CommunicationError) {
        try unsafe complete("MPI_Barrier") {
            unsafe MPI_Barrier(handle)
        } patiently: { request in
            unsafe MPI_Ibarrier(handle, request)
        }
    }

    package func allReduceSum<Element: Exchangeable>(_ values: Vector<Element>) throws(CommunicationError) {
        try unsafe reduce(values, shim_sum())
    }

    package func allReduceMaximum<Element: Exchangeable>(_ values: Vector<Element>) throws(CommunicationError) {
        try unsafe reduce(values, shim_max())
    }

    private func reduce<Element: Exchangeable>(_ values: Vector<Element>, _ operation: MPI_Op)
        throws(CommunicationError)
    {
        var start = 0
        while start < values.count {
            let count = min(Self.piece, values.count - start)
            try check(
                unsafe MPI_Allreduce(
                    shim_in_place(), values.pointer + start, Int32(count), Element.kind.datatype, operation, handle),
                "MPI_Allreduce")
            start += count
        }
    }

    package func allToAll<Element: Exchangeable>(
        _ sent: Vector<Element>, into received: Vector<Element>, block n: Int
    ) throws(CommunicationError) {
        try checkBlocks(of: n, ranks: size, sent: sent.count, received: received.count, call: "MPI_Alltoall")
        guard n > 0 else { return }
        let count = try int32Count(n, "MPI_Alltoall"), datatype = unsafe Element.kind.datatype
        try unsafe complete("MPI_Alltoall") {
            unsafe MPI_Alltoall(sent.pointer, count, datatype, received.pointer, count, datatype, handle)
        } patiently: { request in
            unsafe MPI_Ialltoall(sent.pointer, count, datatype, received.pointer, count, datatype, handle, request)
        }
    }

    package func allGather(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]] {
        var length = Int64(bytes.count)
        var lengths = [Int64](repeating: 0, count: size)
        try check(
            unsafe MPI_Allgather(&length, 1, shim_int64(), &lengths, 1, shim_int64(), handle), "MPI_Allgather")
        var answer = lengths.map { length in
            var part: [UInt8] = []
            part.reserveCapacity(Int(length))
            return part
        }
        let piece = max(1, Self.gathered / size), longest = Int(lengths.max() ?? 0)
        for start in stride(from: 0, to: longest, by: piece) {
            let parts = consecutive(lengths.map { max(0, min(piece, Int($0) - start)) })
            try gatherPiece(Array(bytes.dropFirst(start).prefix(piece)), parts, into: &answer)
        }
        return answer
    }

    private func gatherPiece(
        _ bytes: [UInt8], _ parts: [Range<Int>], into answer: inout [[UInt8]]
    ) throws(CommunicationError) {
        let call = "MPI_Allgatherv"
        var all = [UInt8](repeating: 0, count: parts.reduce(0) { $0 + $1.count })
        try receivedWindows.set(parts, unit: 1, call: call)
        try check(
            unsafe MPI_Allgatherv(
                bytes, Int32(bytes.count), shim_byte(), &all, receivedWindows.counts.pointer,
                receivedWindows.displacements.pointer, shim_byte(), handle),
            call)
        for rank in 0..<size { answer[rank] += all[parts[rank]] }
    }

    package func split(color: Int) throws(CommunicationError) -> any Communicator {
        try splitMPI(color: color)
    }

    /// `split` that keeps the type.
    package func splitMPI(color: Int) throws(CommunicationError) -> MPICommunicator {
        var part: MPI_Comm?
        try check(
            unsafe MPI_Comm_split(handle, int32Count(color, "MPI_Comm_split"), Int32(rank), &part), "MPI_Comm_split")
        guard let part = unsafe part else {
            throw CommunicationError(call: "MPI_Comm_split", reason: "gave no communicator")
        }
        return try unsafe MPICommunicator(part)
    }

    package func duplicate(waiting waitPolicy: any WaitPolicy) throws(CommunicationError) -> any Communicator {
        var copy: MPI_Comm?
        try check(unsafe MPI_Comm_dup(handle, &copy), "MPI_Comm_dup")
        guard let copy = unsafe copy else {
            throw CommunicationError(call: "MPI_Comm_dup", reason: "gave no communicator")
        }
        return try unsafe MPICommunicator(copy, waitPolicy)
    }

    /// Gives the communicator back to MPI. Collective. Unusable afterwards.
    package func free() throws(CommunicationError) {
        var given: MPI_Comm? = unsafe communicator
        try check(unsafe MPI_Comm_free(&given), "MPI_Comm_free")
        unsafe communicator = unsafe shim_comm_null()
    }

    /// Ends every rank of the job, which returns `code`.
    package func abort(_ code: Int32) -> Never {
        _ = unsafe MPI_Abort(shim_comm_world(), code)
        exit(code)
    }
}
