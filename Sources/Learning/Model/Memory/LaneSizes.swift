package import Configuration

/// How many rows the buffers of a lane hold, in one layer or for several.
package struct LaneSizes: Sendable {
    package let tokens: Int
    package let experts: Int
    /// Rows that leave for experts: at most all choices, at most all seats.
    package let homeSeats: Int
    /// Rows that this rank's experts can get from all lanes of the group in flight.
    package let seats: Int

    /// Of each layer.
    package static func byLayer(
        _ model: ModelSettings, _ routing: RoutingSettings, laneTokens: Int, groupSize: Int
    ) -> [LaneSizes] {
        model.expertCounts.map { experts in
            let capacity = routing.capacityFactor.capacity(
                tokens: laneTokens, choices: model.choices, experts: experts)
            let homeSeats = min(laneTokens * model.choices, capacity * experts)
            return LaneSizes(
                tokens: laneTokens, experts: experts, homeSeats: homeSeats,
                seats: min(groupSize * homeSeats, capacity * experts))
        }
    }

    private init(tokens: Int, experts: Int, homeSeats: Int, seats: Int) {
        (self.tokens, self.experts, self.homeSeats, self.seats) = (tokens, experts, homeSeats, seats)
    }

    /// What has room for any of `layers`. The layer with most experts need not be the one with most seats, because
    /// capacities are rounded up.
    package init(forAllOf layers: [LaneSizes]) {
        func largest(_ size: KeyPath<LaneSizes, Int>) -> Int { layers.map { $0[keyPath: size] }.max() ?? 0 }
        self.init(
            tokens: largest(\.tokens), experts: largest(\.experts), homeSeats: largest(\.homeSeats),
            seats: largest(\.seats))
    }
}
