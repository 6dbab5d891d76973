package import Collectives
package import Model
package import Tensors

/// Dispatch and combine over any communicator: MPI's all-to-all between processes, or virtual ranks in one.
package final class ExpertDispatcher: TokenDispatcher, @unchecked Sendable {
    // Unchecked because one thread uses it, that of a lane in flight.
    private let group: any Communicator
    package let clock: CommunicationClock
    private let turns: Turns?
    private let agreed = Vector<Int32>(count: 1)
    /// Rows that came for this rank's experts, exchange by exchange on the way forward, since somebody last emptied the list;
    /// nil if nobody wants to know.
    package var arrivals: [Int]?

    /// One of two lanes in flight, which hands the baton over while it communicates.
    package struct Turns: Sendable {
        let baton: Baton
        let lane: Int

        package init(_ baton: Baton, lane: Int) {
            self.baton = baton
            self.lane = lane
        }
    }

    /// **Collective** over the expert group with `turns`.
    package init(_ mesh: Mesh, clock: CommunicationClock, _ turns: Turns? = nil) throws(CommunicationError) {
        group =
            try turns.map { turns throws(CommunicationError) in
                try mesh.expertGroup.duplicate(for: turns.baton)
            } ?? mesh.expertGroup
        self.clock = clock
        self.turns = turns
    }

    package var expertParallelSize: Int { group.size }

    package func dispatch(
        _ rows: Operand, announcing exchange: ExpertExchange, into arrived: Operand
    ) throws(CommunicationError) {
        try communicate { () throws(CommunicationError) in
            try group.exchange(exchange.sent, into: exchange.arrived, block: exchange.localExperts)
            exchange.sumByRank()
            try exchangeRows(rows, counts: exchange.sentByRank, into: arrived, counts: exchange.arrivedByRank)
        }
        arrivals?.append(exchange.arrivedRows)
    }

    package func dispatch(
        _ rows: Operand, along exchange: ExpertExchange, into arrived: Operand
    ) throws(CommunicationError) {
        try communicate { () throws(CommunicationError) in
            try exchangeRows(rows, counts: exchange.sentByRank, into: arrived, counts: exchange.arrivedByRank)
        }
    }

    package func combine(
        _ arrived: Operand, along exchange: ExpertExchange, into rows: Operand
    ) throws(CommunicationError) {
        try communicate { () throws(CommunicationError) in
            try exchangeRows(arrived, counts: exchange.arrivedByRank, into: rows, counts: exchange.sentByRank)
        }
    }

    package func largest(_ value: Int) throws(CommunicationError) -> Int {
        agreed[0] = Int32(value)
        try communicate { () throws(CommunicationError) in try group.maximum(agreed) }
        return Int(agreed[0])
    }

    /// Waits for the group, then lets `body` communicate; meanwhile the other lane in flight may compute.
    private func communicate(_ body: () throws(CommunicationError) -> Void) throws(CommunicationError) {
        func waitAndExchange() throws(CommunicationError) {
            try clock.wait { () throws(CommunicationError) in try group.barrier() }
            try clock.exchange(body)
        }
        guard let turns else { return try waitAndExchange() }
        turns.baton.putDown(by: turns.lane)
        try clock.inBackground(waitAndExchange) { () throws(CommunicationError) in
            try turns.baton.take(by: turns.lane)
        }
    }

    private func exchangeRows(
        _ sent: Operand, counts sentRows: Vector<Int32>, into received: Operand, counts receivedRows: Vector<Int32>
    ) throws(CommunicationError) {
        switch (sent, received) {
        case (.float32(let sent), .float32(let received)):
            try group.exchangeRows(sent, counts: sentRows, into: received, counts: receivedRows)
        case (.bfloat16(let sent), .bfloat16(let received)):
            try group.exchangeRows(sent, counts: sentRows, into: received, counts: receivedRows)
        default: preconditionFailure("operands of different precisions")
        }
    }
}
