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
    ///   - exchange: its `sent` counts are given, `received` and the sums per rank are filled in
    ///   - received: `[slots, dModel]`: its first `exchange.receivedRows` are filled, by source rank and then by expert
    func dispatch(
        _ rows: Operand, announcing exchange: ExpertExchange, into received: Operand) throws(CommunicationError)

    /// The same along an exchange that was announced. **Collective** over the group.
    /// - Parameters:
    ///   - rows: `[exchange.sentRows, dModel]`, of one precision on all ranks
    ///   - received: `[exchange.receivedRows, dModel]`, by source rank and then by expert
    func dispatch(_ rows: Operand, along exchange: ExpertExchange, into received: Operand) throws(CommunicationError)

    /// The reverse of `dispatch`: rows back to where they came from, in the order they left. **Collective**.
    func combine(_ received: Operand, along exchange: ExpertExchange, into rows: Operand) throws(CommunicationError)

    /// The largest `value` of the group. **Collective**.
    func maximum(of value: Int) throws(CommunicationError) -> Int
}

/// The counts of one exchange between a group's tokens and experts, kept for the way back and for the backward pass.
package struct ExpertExchange: Sendable {
    package let localExperts: Int
    /// `[experts]`: rows this rank sends to each expert.
    package let sent: Vector<Int32>
    /// `[expertParallelSize · localExperts]`: rows that arrived from each rank for each local expert.
    package let received: Vector<Int32>
    /// `[expertParallelSize]`: the same, summed over a rank's experts.
    package let sentByRank: Vector<Int32>
    package let receivedByRank: Vector<Int32>

    package init(expertParallelSize: Int, localExperts: Int) {
        self.init(
            localExperts, sent: Vector(count: expertParallelSize * localExperts),
            received: Vector(count: expertParallelSize * localExperts), Vector(count: expertParallelSize),
            Vector(count: expertParallelSize))
    }

    private init(
        _ localExperts: Int, sent: Vector<Int32>, received: Vector<Int32>, _ sentByRank: Vector<Int32>,
        _ receivedByRank: Vector<Int32>
    ) {
        self.localExperts = localExperts
        (self.sent, self.received, self.sentByRank, self.receivedByRank) = (sent, received, sentByRank, receivedByRank)
    }

    /// The same memory for a layer of no more experts.
    func narrowed(toExperts experts: Int) -> ExpertExchange {
        ExpertExchange(
            experts / expertParallelSize, sent: sent[0..<experts], received: received[0..<experts], sentByRank,
            receivedByRank)
    }

    package var expertParallelSize: Int { sentByRank.count }
    package var sentRows: Int { total(sent) }
    package var receivedRows: Int { total(receivedByRank) }

    /// After `sent` and `received` are known.
    package func sumByRank() {
        for rank in 0..<expertParallelSize {
            let experts = rank * localExperts..<(rank + 1) * localExperts
            sentByRank[rank] = Int32(total(sent[experts]))
            receivedByRank[rank] = Int32(total(received[experts]))
        }
    }

    private func total(_ counts: Vector<Int32>) -> Int {
        let span = counts.span
        var sum = 0
        for i in 0..<span.count { sum += Int(span[i]) }
        return sum
    }
}
