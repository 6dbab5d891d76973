import Threading

/// The meeting place of one group of virtual ranks.
final class VirtualGroup: Sendable {
    let size: Int
    let abortState: AbortState
    /// What every rank has laid on the table for the others to see.
    private let table: Monitor<[(any Sendable)?]>

    init(size: Int, abortState: AbortState) {
        self.size = size
        self.abortState = abortState
        table = Monitor([(any Sendable)?](repeating: nil, count: size))
    }

    /// How often a patient rank asks whether it waits in vain.
    private static let waitPolicy = Duration.milliseconds(20)

    /// Returns when all ranks of the group have come; throws as soon as any rank has given up.
    func barrier(_ waitPolicy: (any WaitPolicy)? = nil) throws(CommunicationError) {
        let key = ObjectIdentifier(self)
        let phase = abortState.state.update { state in
            let phase = state.phase[key, default: 0]
            let arrived = state.arrived[key, default: 0] + 1
            state.arrived[key] = arrived == size ? 0 : arrived
            if arrived == size { state.phase[key] = phase + 1 }
            return phase
        }
        func outcome(_ state: AbortState.State) -> Int?? {
            if state.phase[key, default: 0] != phase { return .some(nil) }
            return state.cause == nil ? nil : .some(state.rank)
        }
        let broken: Int?
        if let waitPolicy {
            broken = try wait(waitPolicy, until: outcome)
        } else {
            broken = abortState.state.wait(until: outcome)
        }
        if let broken { throw CommunicationError(call: "a collective", reason: "virtual rank \(broken) has given up") }
    }

    private func wait(_ waitPolicy: any WaitPolicy, until outcome: (AbortState.State) -> Int??)
        throws(CommunicationError) -> Int?
    {
        while true {
            if let outcome = abortState.state.wait(upTo: Self.waitPolicy, until: outcome) { return outcome }
            if waitPolicy.isCancelled { throw CommunicationError(cancelled: "a collective") }
        }
    }

    /// Lays `item` on the table and returns everybody's; call `barrier` before the memory behind it is used again.
    func publish<Item: Sendable>(
        _ item: Item, as rank: Int, _ waitPolicy: (any WaitPolicy)? = nil
    ) throws(CommunicationError) -> [Item] {
        table.update { $0[rank] = item }
        try barrier(waitPolicy)
        let items = table.update { $0.compactMap { $0 as? Item } }
        precondition(items.count == size, "ranks of a group called different collectives or with different types")
        return items
    }
}
