import COpenMPI
package import Collectives
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
        let parts = try ownedRanges(counts, ranks: size, elements: values.count, call: "MPI_Alltoallv")
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
            let places = (0..<size).map { $0 * own..<($0 + 1) * own }
            try unsafe allToAll(
                pieces, of: values.pointer, into: places, of: arrived.pointer, unit: unit,
                bytes: unit * MemoryLayout<Element>.stride)
            guard own > 0 else { continue }
            sumInOrder(places.map { arrived[$0] }, into: values[pieces[rank]])
        }
    }

    package func allGather<Element: Exchangeable>(
        _ values: Vector<Element>, counts: [Int]
    ) throws(CommunicationError) {
        let call = "MPI_Allgatherv"
        let parts = try ownedRanges(counts, ranks: size, elements: values.count, call: call)
        guard size > 1 else { return }
        let unit = Self.unit(of: counts), row = try unsafe rows.row(bytes: unit * MemoryLayout<Element>.stride)
        let windows = receivedWindows
        try windows.set(parts, unit: unit, call: call)
        try unsafe complete(call) {
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
