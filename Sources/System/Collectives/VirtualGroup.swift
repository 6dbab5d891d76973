import Threading

/// The meeting place of one group of virtual ranks.
final class VirtualGroup: Sendable {
    let size: Int
    let fuse: Fuse
    /// What every rank has laid on the table for the others to see.
    private let table: Monitor<[(any Sendable)?]>

    init(size: Int, fuse: Fuse) {
        self.size = size
        self.fuse = fuse
        table = Monitor([(any Sendable)?](repeating: nil, count: size))
    }

    /// How often a patient rank asks whether it waits in vain.
    private static let patience = Duration.milliseconds(20)

    /// Returns when all ranks of the group have come; throws as soon as any rank has given up.
    func barrier(_ patience: (any Patience)? = nil) throws(CommunicationError) {
        let key = ObjectIdentifier(self)
        let phase = fuse.state.change { state in
            let phase = state.phase[key, default: 0]
            let arrived = state.arrived[key, default: 0] + 1
            state.arrived[key] = arrived == size ? 0 : arrived
            if arrived == size { state.phase[key] = phase + 1 }
            return phase
        }
        func outcome(_ state: Fuse.State) -> Int?? {
            if state.phase[key, default: 0] != phase { return .some(nil) }
            return state.cause == nil ? nil : .some(state.rank)
        }
        let broken: Int?
        if let patience {
            broken = try wait(patience, until: outcome)
        } else {
            broken = fuse.state.wait(until: outcome)
        }
        if let broken { throw CommunicationError(call: "a collective", reason: "virtual rank \(broken) has given up") }
    }

    private func wait(_ patience: any Patience, until outcome: (Fuse.State) -> Int??) throws(CommunicationError) -> Int?
    {
        while true {
            if let outcome = fuse.state.wait(upTo: Self.patience, until: outcome) { return outcome }
            if patience.isInVain { throw CommunicationError(inVain: "a collective") }
        }
    }

    /// Lays `item` on the table and returns everybody's; call `barrier` before the memory behind it is used again.
    func share<Item: Sendable>(
        _ item: Item, as rank: Int, _ patience: (any Patience)? = nil
    ) throws(CommunicationError) -> [Item] {
        table.change { $0[rank] = item }
        try barrier(patience)
        let items = table.change { $0.compactMap { $0 as? Item } }
        precondition(items.count == size, "ranks of a group called different collectives or with different types")
        return items
    }
}
