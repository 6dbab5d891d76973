package import Collectives
package import Tensors

/// How rows of tokens reach the ranks that hold their experts, and how the answers come back. The model does not know
/// what is between: `Parallelism` supplies MPI and virtual ranks.
package protocol TokenDispatcher: AnyObject {
    /// Ranks that share out one set of experts.
    var expertParallelSize: Int { get }

    /// Tells every rank of the group how many rows each of its experts will get, and sends them. **Collective** over the
    /// group.
    /// - Parameters:
    ///   - rows: `[exchange.sentRows, dModel]`, in order of experts, of one precision on all ranks
    ///   - exchange: its `sent` counts are given, `arrived` and the sums per rank are filled in
    ///   - arrived: `[seats, dModel]`: its first `exchange.arrivedRows` are filled, by source rank and then by expert
    func dispatch(
        _ rows: Operand, announcing exchange: ExpertExchange, into arrived: Operand) throws(CommunicationError)

    /// The same along an exchange that was announced. **Collective** over the group.
    /// - Parameters:
    ///   - rows: `[exchange.sentRows, dModel]`, of one precision on all ranks
    ///   - arrived: `[exchange.arrivedRows, dModel]`, by source rank and then by expert
    func dispatch(_ rows: Operand, along exchange: ExpertExchange, into arrived: Operand) throws(CommunicationError)

    /// The reverse of `dispatch`: rows back to where they came from, in the order they left. **Collective**.
    func combine(_ arrived: Operand, along exchange: ExpertExchange, into rows: Operand) throws(CommunicationError)

    /// The largest `value` of the group. **Collective**.
    func largest(_ value: Int) throws(CommunicationError) -> Int
}

/// The counts of one exchange between a group's tokens and experts, kept for the way back and for the backward pass.
package struct ExpertExchange: Sendable {
    package let localExperts: Int
    /// `[experts]`: rows this rank sends to each expert.
    package let sent: Vector<Int32>
    /// `[expertParallelSize · localExperts]`: rows that arrived from each rank for each local expert.
    package let arrived: Vector<Int32>
    /// `[expertParallelSize]`: the same, summed over a rank's experts.
    package let sentByRank: Vector<Int32>
    package let arrivedByRank: Vector<Int32>

    package init(expertParallelSize: Int, localExperts: Int) {
        self.init(
            localExperts, sent: Vector(count: expertParallelSize * localExperts),
            arrived: Vector(count: expertParallelSize * localExperts), Vector(count: expertParallelSize),
            Vector(count: expertParallelSize))
    }

    private init(
        _ localExperts: Int, sent: Vector<Int32>, arrived: Vector<Int32>, _ sentByRank: Vector<Int32>,
        _ arrivedByRank: Vector<Int32>
    ) {
        self.localExperts = localExperts
        (self.sent, self.arrived, self.sentByRank, self.arrivedByRank) = (sent, arrived, sentByRank, arrivedByRank)
    }

    /// The same memory for a layer of no more experts.
    func narrowed(toExperts experts: Int) -> ExpertExchange {
        ExpertExchange(
            experts / expertParallelSize, sent: sent[0..<experts], arrived: arrived[0..<experts], sentByRank,
            arrivedByRank)
    }

    package var expertParallelSize: Int { sentByRank.count }
    package var sentRows: Int { total(sent) }
    package var arrivedRows: Int { total(arrivedByRank) }

    /// After `sent` and `arrived` are known.
    package func sumByRank() {
        for rank in 0..<expertParallelSize {
            let experts = rank * localExperts..<(rank + 1) * localExperts
            sentByRank[rank] = Int32(total(sent[experts]))
            arrivedByRank[rank] = Int32(total(arrived[experts]))
        }
    }

    private func total(_ counts: Vector<Int32>) -> Int {
        let span = counts.span
        var sum = 0
        for i in 0..<span.count { sum += Int(span[i]) }
        return sum
    }
}
