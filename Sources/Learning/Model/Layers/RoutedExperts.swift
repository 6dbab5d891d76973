package import Collectives
package import Configuration
import Kernels
package import Tensors

/// Sends every token to the experts that were selected for it, wherever their ranks are, and adds what comes back:
/// `y += Σ_j gate_j·E_j(h)` over the assignments that have a slot.
///
/// Steps and dimensions are numbered as in `SwitchFeedForward`.
package struct RoutedExperts: Sendable {
    private let experts: FeedForward

    /// What the layer keeps for its backward pass.
    package struct Activations: Sendable {
        package let exchange: ExpertExchange
        /// `[r, d]`, ordered by source micro-batch and then by expert.
        package let received: Operand
        package let feedForward: FeedForward.Activations
        /// `[s, d]`: the expert outputs for this micro-batch, in the order in which its rows were sent.
        package let returned: Operand

        package init(_ sizes: LayerSizes, _ model: ModelShape, _ precision: Precision) {
            exchange = ExpertExchange(
                expertParallelSize: sizes.expertParallelSize, localExperts: sizes.experts / sizes.expertParallelSize)
            received = Operand(precision, rows: sizes.receiveRows, columns: model.dModel)
            feedForward = FeedForward.Activations(rows: sizes.receiveRows, hidden: model.expertHiddenSize, precision)
            returned = Operand(precision, rows: sizes.sendRows, columns: model.dModel)
        }

        /// The same memory for a layer of no more experts.
        func narrowed(to sizes: LayerSizes) -> Activations { Activations(self, sizes) }

        private init(_ wide: Activations, _ sizes: LayerSizes) {
            (received, feedForward, returned) = (wide.received, wide.feedForward, wide.returned)
            exchange = wide.exchange.narrowed(toExperts: sizes.experts)
        }
    }

    package init(_ block: String, _ layout: ParameterLayout) { experts = FeedForward("\(block).experts", layout) }

    /// Steps 5 to 9 for the assignments whose slots lie in `slots`. **Collective** over the expert group.
    /// - Parameters:
    ///   - h: `[t, d]`
    ///   - y: `[t, d]`, added to
    package func forward(
        _ h: Tensor, _ routing: Routing, slots: Range<Int>, addingTo y: Tensor, saving saved: Activations,
        in pass: ForwardContext
    ) throws(CommunicationError) {
        let exchange = saved.exchange, k = routing.expertsPerToken
        routing.assignSendRows(slots, tokens: h.rows, counts: exchange.sent)
        let send = pass.workspace.sendRows.rows(0..<exchange.sentRows)
        scatterToSlots(h, k: k, sendRow: routing.sendRow, into: send, on: pass.pool)
        try pass.dispatcher.dispatch(send, announcing: exchange, into: saved.received)
        let out = pass.workspace.expertRows.rows(0..<exchange.receivedRows)
        experts.forward(saved.received, exchange.rowGroups, into: out, saving: saved.feedForward, in: pass)
        let returned = saved.returned.rows(0..<exchange.sentRows)
        try pass.dispatcher.combine(out, along: exchange, into: returned)
        combineExpertOutputs(returned, k: k, sendRow: routing.sendRow, gates: routing.gates, addingTo: y, on: pass.pool)
    }

    /// Reverses steps 9 to 6. Leaves the gradient of the rows that were sent in the send buffer, where `scatterBackward`
    /// reads it. **Collective** over the expert group.
    /// - Parameters:
    ///   - dy: `[t, d]`
    ///   - dGates: `[t·k]`, overwritten
    package func backward(
        _ dy: Tensor, _ routing: Routing, dGates: Vector<Float>, saved: Activations, in pass: BackwardContext
    ) throws(CommunicationError) {
        let exchange = saved.exchange, sent = 0..<exchange.sentRows
        let rows = pass.workspace.sendRows.rows(sent)
        let received = pass.workspace.expertRows.rows(0..<exchange.receivedRows)
        combineExpertOutputsBackward(
            dy, expertOutputs: saved.returned.rows(sent), k: routing.expertsPerToken, sendRow: routing.sendRow,
            gates: routing.gates, dExpertOutputs: rows, dGates: dGates, on: pass.pool)
        try pass.dispatcher.dispatch(rows, along: exchange, into: received)
        experts.backward(
            received, exchange.rowGroups, input: saved.received, into: received, saved: saved.feedForward, in: pass)
        try pass.dispatcher.combine(received, along: exchange, into: rows)
    }

    /// Reverses step 5. Apart from `backward`, because the router's part of `dh` comes first and needs the gates' gradients.
    /// - Parameter dh: `[t, d]`, added to
    package func scatterBackward(
        addingTo dh: Tensor, _ routing: Routing, saved: Activations, in pass: BackwardContext
    ) {
        scatterToSlotsBackward(
            pass.workspace.sendRows.rows(0..<saved.exchange.sentRows), k: routing.expertsPerToken,
            sendRow: routing.sendRow,
            addingTo: dh, on: pass.pool)
    }
}

extension ExpertExchange {
    /// The received rows by source micro-batch and local expert; empty groups are left out.
    package var rowGroups: [RowGroup] {
        var groups: [RowGroup] = []
        groups.reserveCapacity(received.count)
        var start = 0
        for index in 0..<received.count {
            let count = Int(received[index])
            if count > 0 { groups.append(RowGroup(rows: start..<start + count, matrix: index % localExperts)) }
            start += count
        }
        return groups
    }
}
