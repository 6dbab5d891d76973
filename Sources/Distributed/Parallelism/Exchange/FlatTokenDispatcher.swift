package import Collectives
package import Model
package import Tensors

/// Dispatch and combine over any communicator: MPI's all-to-all between processes, or virtual ranks in one.
package final class FlatTokenDispatcher: TokenDispatcher, @unchecked Sendable {
    // Unchecked because one thread uses it, that of a micro-batch in flight.
    private let group: any Communicator
    package let clock: CommunicationClock
    private let overlap: Overlap?
    private let agreed = Vector<Int32>(count: 1)
    /// Rows that came for this rank's experts, exchange by exchange on the way forward, since somebody last emptied the list;
    /// nil if nobody wants to know.
    package var receivedRowCounts: [Int]?

    /// One of two micro-batches in flight, which hands the turn lock over while it communicates.
    package struct Overlap: Sendable {
        let turnLock: TurnLock
        let microBatch: Int

        package init(_ turnLock: TurnLock, microBatch: Int) {
            self.turnLock = turnLock
            self.microBatch = microBatch
        }
    }

    /// **Collective** over the expert group with `overlap`.
    package init(_ mesh: Mesh, clock: CommunicationClock, _ overlap: Overlap? = nil) throws(CommunicationError) {
        group =
            try overlap.map { overlap throws(CommunicationError) in
                try mesh.expertGroup.duplicate(waiting: overlap.turnLock)
            } ?? mesh.expertGroup
        self.clock = clock
        self.overlap = overlap
    }

    package var expertParallelSize: Int { group.size }

    package func dispatch(
        _ rows: Operand, announcing exchange: ExpertExchange, into received: Operand
    ) throws(CommunicationError) {
        try communicate { () throws(CommunicationError) in
            try group.allToAll(exchange.sent, into: exchange.received, block: exchange.localExperts)
            exchange.sumByRank()
            try allToAllRows(rows, counts: exchange.sentByRank, into: received, counts: exchange.receivedByRank)
        }
        receivedRowCounts?.append(exchange.receivedRows)
    }

    package func dispatch(
        _ rows: Operand, along exchange: ExpertExchange, into received: Operand
    ) throws(CommunicationError) {
        try communicate { () throws(CommunicationError) in
            try allToAllRows(rows, counts: exchange.sentByRank, into: received, counts: exchange.receivedByRank)
        }
    }

    package func combine(
        _ received: Operand, along exchange: ExpertExchange, into rows: Operand
    ) throws(CommunicationError) {
        try communicate { () throws(CommunicationError) in
            try allToAllRows(received, counts: exchange.receivedByRank, into: rows, counts: exchange.sentByRank)
        }
    }

    package func maximum(of value: Int) throws(CommunicationError) -> Int {
        agreed[0] = Int32(value)
        try communicate { () throws(CommunicationError) in try group.allReduceMaximum(agreed) }
        return Int(agreed[0])
    }

    /// Waits for the group, then lets `body` communicate; meanwhile the other micro-batch in flight may compute.
    private func communicate(_ body: () throws(CommunicationError) -> Void) throws(CommunicationError) {
        func waitAndExchange() throws(CommunicationError) {
            try clock.wait { () throws(CommunicationError) in try group.barrier() }
            try clock.exchange(body)
        }
        guard let overlap else { return try waitAndExchange() }
        overlap.turnLock.release(by: overlap.microBatch)
        try clock.overlapping(waitAndExchange) { () throws(CommunicationError) in
            try overlap.turnLock.acquire(by: overlap.microBatch)
        }
    }

    private func allToAllRows(
        _ sent: Operand, counts sentRows: Vector<Int32>, into received: Operand, counts receivedRows: Vector<Int32>
    ) throws(CommunicationError) {
        switch (sent, received) {
        case (.float32(let sent), .float32(let received)):
            try group.allToAllRows(sent, counts: sentRows, into: received, counts: receivedRows)
        case (.bfloat16(let sent), .bfloat16(let received)):
            try group.allToAllRows(sent, counts: sentRows, into: received, counts: receivedRows)
        default: preconditionFailure("operands of different precisions")
        }
    }
}
