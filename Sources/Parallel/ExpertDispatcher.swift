package import Collectives
package import Layers
package import Tensors

/// Dispatch and combine over any communicator: MPI's all-to-all between processes, or virtual ranks in one.
package final class ExpertDispatcher: TokenDispatcher {
    private let group: any Communicator
    package let localExperts: Range<Int>
    package let clock: CommunicationClock
    private let agreed = Vector<Int32>(count: 1)

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
    }

    package func dispatch(
        _ rows: Tensor, along exchange: ExpertExchange, into arrived: Tensor
    ) throws(CommunicationError) {
        try waitForGroup()
        try clock.exchange { () throws(CommunicationError) in
            try group.exchangeRows(
                rows, counts: exchange.sentByRank, into: arrived, counts: exchange.arrivedByRank)
        }
    }

    package func combine(
        _ arrived: Tensor, along exchange: ExpertExchange, into rows: Tensor
    ) throws(CommunicationError) {
        try waitForGroup()
        try clock.exchange { () throws(CommunicationError) in
            try group.exchangeRows(
                arrived, counts: exchange.arrivedByRank, into: rows, counts: exchange.sentByRank)
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
