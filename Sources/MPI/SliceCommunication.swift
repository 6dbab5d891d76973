package import Collectives
import COpenMPI
package import Tensors

extension MPICommunicator {
    /// Elements that ranks exchange in one piece of a reduce-scatter: few enough to stay in a cache until they are added.
    private static let piece = 1 << 20

    /// By pairwise exchange: every rank gets its elements from all others and adds them in rank order, so that the sums depend
    /// neither on the library nor on what else is summed. Thakur, Rabenseifner & Gropp, "Optimization of Collective
    /// Communication Operations in MPICH" (2005), section 4.3.
    package func reduceScatter<Element: Exchangeable>(
        _ values: Vector<Element>, counts: [Int]
    ) throws(CommunicationError) {
        let parts = try stretches(counts, ranks: size, elements: values.count, call: "MPI_Alltoallv")
        guard size > 1 else { return }
        let unit = Self.unit(of: counts)
        // A piece takes as much from every rank's elements, so that all have work in each.
        let largest = counts.max() ?? 0
        let each = max(1, min(Self.piece / size, largest) / unit) * unit
        for start in stride(from: 0, to: largest, by: each) {
            let pieces = parts.map { part in
                min(part.lowerBound + start, part.upperBound)..<min(part.lowerBound + start + each, part.upperBound)
            }
            let own = pieces[rank].count, arrived = room(for: each * size, Element.self)
            try exchange(pieces, of: values, into: arrived, unit: unit)
            guard own > 0 else { continue }
            sumInOrder((0..<size).map { arrived[$0 * own..<($0 + 1) * own] }, into: values[pieces[rank]])
        }
    }

    /// Sends piece r of `values` to rank r; its own piece from every rank arrives in rank order.
    private func exchange<Element: Exchangeable>(
        _ pieces: [Range<Int>], of values: Vector<Element>, into arrived: Vector<Element>, unit: Int
    ) throws(CommunicationError) {
        let call = "MPI_Alltoallv", own = pieces[rank].count
        let row = try rows.row(bytes: unit * MemoryLayout<Element>.stride)
        let sent = try WireWindows(pieces, unit: unit, call: call)
        let received = try WireWindows((0..<size).map { $0 * own..<($0 + 1) * own }, unit: unit, call: call)
        try complete(call) {
            unsafe MPI_Alltoallv(
                values.pointer, sent.counts.pointer, sent.displacements.pointer, row, arrived.pointer,
                received.counts.pointer, received.displacements.pointer, row, handle)
        } patiently: { request in
            unsafe MPI_Ialltoallv(
                values.pointer, sent.counts.pointer, sent.displacements.pointer, row, arrived.pointer,
                received.counts.pointer, received.displacements.pointer, row, handle, request)
        }
    }

    package func allGather<Element: Exchangeable>(
        _ values: Vector<Element>, counts: [Int]
    ) throws(CommunicationError) {
        let call = "MPI_Allgatherv"
        let parts = try stretches(counts, ranks: size, elements: values.count, call: call)
        guard size > 1 else { return }
        let unit = Self.unit(of: counts), row = try rows.row(bytes: unit * MemoryLayout<Element>.stride)
        let windows = try WireWindows(parts, unit: unit, call: call)
        try complete(call) {
            unsafe MPI_Allgatherv(
                shim_in_place(), 0, row, values.pointer, windows.counts.pointer, windows.displacements.pointer, row,
                handle)
        } patiently: { request in
            unsafe MPI_Iallgatherv(
                shim_in_place(), 0, row, values.pointer, windows.counts.pointer, windows.displacements.pointer, row,
                handle, request)
        }
    }

    /// Elements that travel as one, the most up to 16 that divide all counts: counts and displacements on the wire have 31
    /// bits.
    private static func unit(of counts: [Int]) -> Int { 1 << min(4, counts.reduce(0, |).trailingZeroBitCount) }

    /// Memory that stays for the next call.
    private func room<Element: Exchangeable>(for count: Int, _: Element.Type) -> Vector<Element> {
        if let room = arrived as? Vector<Element>, room.count >= count { return room }
        let room = Vector<Element>(count: count)
        arrived = room
        return room
    }
}

/// Counts and displacements in units, in memory that MPI may look at until a call is complete.
private struct WireWindows {
    let counts: Vector<Int32>
    let displacements: Vector<Int32>

    init(_ windows: [Range<Int>], unit: Int, call: String) throws(CommunicationError) {
        counts = Vector(count: windows.count)
        displacements = Vector(count: windows.count)
        for (i, window) in windows.enumerated() {
            counts[i] = try wireCount(window.count / unit, call)
            displacements[i] = try wireCount(window.lowerBound / unit, call)
        }
    }
}
