import COpenMPI
package import Collectives
package import Tensors

extension MPICommunicator {
    package func allToAllRows<Element: MatrixElement>(
        _ sent: Matrix<Element>, counts sentRows: Vector<Int32>, into received: Matrix<Element>,
        counts receivedRows: Vector<Int32>
    ) throws(CommunicationError) {
        let windows = try rowRanges(sent, sentRows, received, receivedRows, ranks: size, call: "MPI_Alltoallv")
        guard sent.columns > 0 else { return }
        try unsafe allToAll(
            windows.sent, of: sent.pointer, into: windows.received, of: received.pointer, unit: 1,
            bytes: sent.columns * MemoryLayout<Element>.size)
    }

    /// Sends window r of `source` to rank r; what rank r sends arrives in window r of `target`. **Collective**.
    /// - Parameters:
    ///   - unit: what all bounds of windows are multiples of
    ///   - bytes: of a unit
    func allToAll<Element>(
        _ sent: [Range<Int>], of source: UnsafeMutablePointer<Element>, into received: [Range<Int>],
        of target: UnsafeMutablePointer<Element>, unit: Int, bytes: Int
    ) throws(CommunicationError) {
        let call = "MPI_Alltoallv", row = try unsafe rows.row(bytes: bytes)
        try sentWindows.set(sent, unit: unit, call: call)
        try receivedWindows.set(received, unit: unit, call: call)
        let (from, to) = (sentWindows, receivedWindows)
        try unsafe complete(call) {
            unsafe MPI_Alltoallv(
                source, from.counts.pointer, from.displacements.pointer, row, target, to.counts.pointer,
                to.displacements.pointer, row, handle)
        } patiently: { request in
            unsafe MPI_Ialltoallv(
                source, from.counts.pointer, from.displacements.pointer, row, target, to.counts.pointer,
                to.displacements.pointer, row, handle, request)
        }
    }
}

/// Counts and displacements for every rank, in memory that stays: MPI may read it until a call is complete.
struct RankCounts {
    let counts: Vector<Int32>
    let displacements: Vector<Int32>

    init(ranks: Int) {
        counts = Vector(count: ranks)
        displacements = Vector(count: ranks)
    }

    /// - Parameter unit: what all bounds are multiples of, and what MPI counts
    func set(_ windows: [Range<Int>], unit: Int, call: String) throws(CommunicationError) {
        for (rank, window) in windows.enumerated() {
            counts[rank] = try int32Count(window.count / unit, call)
            displacements[rank] = try int32Count(window.lowerBound / unit, call)
        }
    }
}
