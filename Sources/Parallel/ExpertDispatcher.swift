package import Collectives
package import Layers
package import Tensors

/// Dispatch and combine over any communicator: MPI's all-to-all between processes, or virtual ranks in one.
package final class ExpertDispatcher: TokenDispatcher {
    private let group: any Communicator
    package let localExperts: Range<Int>
    package let clock: CommunicationClock
    private let agreed = Vector<Int32>(count: 1)
    /// Rows that came for this rank's experts, exchange by exchange on the way forward, since somebody last emptied the list;
    /// nil if nobody wants to know.
    package var arrivals: [Int]?

    package init(_ mesh: Mesh, clock: CommunicationClock) {
        group = mesh.expertGroup
        localExperts = mesh.localExperts
        self.clock = clock
    }

    package var groupSize: Int { group.size }

    package func announce(_ exchange: ExpertExchange) throws(CommunicationError) {
        try waitForGroup()
        try clock.exchange { () throws(CommunicationError) in
            try group.exchange(exchange.sent, into: exchange.arrived, block: exchange.localExperts)
        }
        exchange.sumByRank()
        arrivals?.append(exchange.arrivedRows)
    }

    package func dispatch(
        _ rows: Operand, along exchange: ExpertExchange, into arrived: Operand
    ) throws(CommunicationError) {
        try exchangeRows(rows, counts: exchange.sentByRank, into: arrived, counts: exchange.arrivedByRank)
    }

    package func combine(
        _ arrived: Operand, along exchange: ExpertExchange, into rows: Operand
    ) throws(CommunicationError) {
        try exchangeRows(arrived, counts: exchange.arrivedByRank, into: rows, counts: exchange.sentByRank)
    }

    private func exchangeRows(
        _ sent: Operand, counts sentRows: Vector<Int32>, into received: Operand, counts receivedRows: Vector<Int32>
    ) throws(CommunicationError) {
        try waitForGroup()
        try clock.exchange { () throws(CommunicationError) in
            switch (sent, received) {
            case (.float32(let sent), .float32(let received)):
                try group.exchangeRows(sent, counts: sentRows, into: received, counts: receivedRows)
            case (.bfloat16(let sent), .bfloat16(let received)):
                try group.exchangeRows(sent, counts: sentRows, into: received, counts: receivedRows)
            default: preconditionFailure("operands of different precisions")
            }
        }
    }

    package func largest(_ value: Int) throws(CommunicationError) -> Int {
        agreed[0] = Int32(value)
        try waitForGroup()
        try clock.exchange { () throws(CommunicationError) in try group.maximum(agreed) }
        return Int(agreed[0])
    }

    private func waitForGroup() throws(CommunicationError) {
        try clock.wait { () throws(CommunicationError) in try group.barrier() }
    }
}
