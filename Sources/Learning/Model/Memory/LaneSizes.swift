package import Configuration

/// How many rows the buffers of a lane hold, in one layer or for several.
package struct LaneSizes: Sendable {
    package let tokens: Int
    package let experts: Int
    /// Slots that each expert has for a whole micro-batch in training.
    package let capacity: Int
    /// Rows that leave for experts: at most all choices, at most all seats.
    package let homeSeats: Int
    /// Rows that this rank's experts can get from all lanes of the group in flight.
    package let seats: Int
    /// The number of ranks that share out one set of experts.
    package let expertParallelSize: Int
    private let expertsPerToken: Int
    private let routing: RoutingSettings

    /// The sizes of each layer.
    package static func byLayer(
        _ model: ModelSettings, _ routing: RoutingSettings, laneTokens: Int, expertParallelSize: Int
    ) -> [LaneSizes] {
        model.expertCounts.map { experts in
            LaneSizes(model, routing, experts: experts, laneTokens: laneTokens, expertParallelSize: expertParallelSize)
        }
    }

    /// The sizes of a layer of `experts` experts.
    package init(
        _ model: ModelSettings, _ routing: RoutingSettings, experts: Int, laneTokens: Int, expertParallelSize: Int
    ) {
        tokens = laneTokens
        self.experts = experts
        self.expertParallelSize = expertParallelSize
        self.routing = routing
        expertsPerToken = model.choices
        capacity = routing.capacityFactor.capacity(tokens: laneTokens, choices: model.choices, experts: experts)
        homeSeats = min(laneTokens * model.choices, capacity * experts)
        seats = min(expertParallelSize * homeSeats, capacity * experts)
    }

    /// What has room for any of `layers`. The layer with most experts need not be the one with most seats, because
    /// capacities are rounded up.
    package init(forAllOf layers: [LaneSizes]) {
        func largest(_ size: KeyPath<LaneSizes, Int>) -> Int { layers.map { $0[keyPath: size] }.max() ?? 0 }
        tokens = largest(\.tokens)
        experts = largest(\.experts)
        capacity = largest(\.capacity)
        homeSeats = largest(\.homeSeats)
        seats = largest(\.seats)
        (expertParallelSize, expertsPerToken) = (layers[0].expertParallelSize, layers[0].expertsPerToken)
        routing = layers[0].routing
    }

    /// Returns the slots that each expert has for `tokens` tokens; nil if none are dropped.
    ///
    /// Whole micro-batches of training have `capacity`; those of evaluation may be shorter and have a factor of their own.
    func capacity(tokens count: Int, for purpose: LanePurpose) -> Int? {
        if purpose == .training && count == tokens { return capacity }
        let factor = purpose == .training ? routing.capacityFactor : routing.evaluationCapacityFactor
        return factor?.capacity(tokens: count, choices: expertsPerToken, experts: experts)
    }
}
