package import Tensors

/// One virtual rank's view of its group.
package struct VirtualCommunicator: Communicator {
    package let rank: Int
    let group: VirtualGroup
    var waitPolicy: (any WaitPolicy)?

    package var size: Int { group.size }
    package var supportsThreads: Bool { true }

    package func barrier() throws(CommunicationError) { try group.barrier(waitPolicy) }

    package func allReduceSum<Element: Exchangeable>(_ values: Vector<Element>) throws(CommunicationError) {
        try forAll(values) { sumInOrder($0, into: $1) }
    }

    package func allReduceMaximum<Element: Exchangeable>(_ values: Vector<Element>) throws(CommunicationError) {
        try forAll(values) { combine($0, into: $1) { Swift.max($0, $1) } }
    }

    /// Each rank combines a slice of all ranks' values for everybody.
    private func forAll<Element: Exchangeable>(
        _ values: Vector<Element>, _ combine: ([Vector<Element>], Vector<Element>) -> Void
    ) throws(CommunicationError) {
        let all = try group.publish(values, as: rank)
        precondition(all.allSatisfy { $0.count == values.count }, "ranks reduce different numbers of elements")
        let mine = values.count * rank / size..<values.count * (rank + 1) / size
        let result = Vector<Element>(count: mine.count)
        combine(all.map { $0[mine] }, result)
        for each in all { each[mine].copy(from: result) }
        try group.barrier()
    }

    package func reduceScatter<Element: Exchangeable>(
        _ values: Vector<Element>, counts: [Int]
    ) throws(CommunicationError) {
        let own = try ownedRanges(counts, ranks: size, elements: values.count, call: "reduceScatter")[rank]
        let all = try group.publish(values, as: rank)
        let result = Vector<Element>(count: own.count)
        sumInOrder(all.map { $0[own] }, into: result)
        values[own].copy(from: result)
        try group.barrier()
    }

    package func allGather<Element: Exchangeable>(
        _ values: Vector<Element>, counts: [Int]
    ) throws(CommunicationError) {
        let parts = try ownedRanges(counts, ranks: size, elements: values.count, call: "allGather")
        let all = try group.publish(values, as: rank)
        for (source, part) in parts.enumerated() where source != rank { values[part].copy(from: all[source][part]) }
        try group.barrier()
    }

    package func allToAll<Element: Exchangeable>(
        _ sent: Vector<Element>, into received: Vector<Element>, block n: Int
    ) throws(CommunicationError) {
        try checkBlocks(of: n, ranks: size, sent: sent.count, received: received.count, call: "exchange")
        let all = try group.publish(sent, as: rank, waitPolicy)
        for source in 0..<size {
            for i in 0..<n { received[source * n + i] = all[source][rank * n + i] }
        }
        try barrier()
    }

    package func allToAllRows<Element: MatrixElement>(
        _ sent: Matrix<Element>, counts sentRows: Vector<Int32>, into received: Matrix<Element>,
        counts receivedRows: Vector<Int32>
    ) throws(CommunicationError) {
        let call = "exchangeRows"
        let windows = try rowRanges(sent, sentRows, received, receivedRows, ranks: size, call: call)
        let all = try group.publish(RowParcel(rows: sent, windows: windows.sent), as: rank, waitPolicy)
        for source in 0..<size {
            let outgoing = all[source].windows[rank], incoming = windows.received[source]
            guard outgoing.count == incoming.count else {
                throw CommunicationError(
                    call: call,
                    reason: "rank \(source) sends \(outgoing.count) rows, but rank \(rank) expects \(incoming.count)")
            }
            if !incoming.isEmpty { received.rows(incoming).copy(from: all[source].rows.rows(outgoing)) }
        }
        try barrier()
    }

    package func allGather(_ bytes: [UInt8]) throws(CommunicationError) -> [[UInt8]] {
        let all = try group.publish(bytes, as: rank)
        try group.barrier()
        return all
    }

    package func split(color: Int) throws(CommunicationError) -> any Communicator {
        let colors = try group.publish(color, as: rank)
        try group.barrier()
        let members = colors.indices.filter { colors[$0] == color }
        // Every rank offers a new group; the members of a color take that of their first.
        let offers = try group.publish(VirtualGroup(size: members.count, abortState: group.abortState), as: rank)
        try group.barrier()
        return VirtualCommunicator(rank: members.firstIndex(of: rank)!, group: offers[members[0]])
    }

    package func duplicate(waiting waitPolicy: any WaitPolicy) throws(CommunicationError) -> any Communicator {
        let offers = try group.publish(VirtualGroup(size: size, abortState: group.abortState), as: rank)
        try group.barrier()
        return VirtualCommunicator(rank: rank, group: offers[0], waitPolicy: waitPolicy)
    }
}

/// What one rank offers to the others.
private struct RowParcel<Element: MatrixElement>: Sendable {
    let rows: Matrix<Element>
    let windows: [Range<Int>]
}
