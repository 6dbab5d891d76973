package import Configuration

/// How many rows the buffers of a micro-batch hold, in one layer or for several.
package struct LayerSizes: Sendable {
    package let tokens: Int
    /// 0 in a dense layer.
    package let experts: Int
    /// Hidden units that all tokens pass: of shared experts or of a dense layer; 0 if there are none.
    package let unroutedHidden: Int
    /// Slots that each expert has for a whole micro-batch in training.
    package let capacity: Int
    /// Rows that leave for experts: at most all choices, at most all slots.
    package let sendRows: Int
    /// Rows that this rank's experts can get from all micro-batches of the group in flight.
    package let receiveRows: Int
    /// The number of ranks that share out one set of experts.
    package let expertParallelSize: Int
    private let expertsPerToken: Int
    private let routing: RoutingConfiguration

    /// The sizes of each layer.
    package static func byLayer(
        _ model: ModelShape, _ routing: RoutingConfiguration, microBatchTokens: Int, expertParallelSize: Int
    ) -> [LayerSizes] {
        (0..<model.layers).map { layer in
            LayerSizes(
                model, routing, layer: layer, microBatchTokens: microBatchTokens,
                expertParallelSize: expertParallelSize)
        }
    }

    /// The sizes of one layer.
    package init(
        _ model: ModelShape, _ routing: RoutingConfiguration, layer: Int, microBatchTokens: Int,
        expertParallelSize: Int
    ) {
        tokens = microBatchTokens
        experts = model.expertCount(inLayer: layer)
        unroutedHidden = model.unroutedHiddenSize(inLayer: layer)
        self.expertParallelSize = expertParallelSize
        self.routing = routing
        expertsPerToken = model.expertsPerToken
        let slots = routing.capacityFactor.capacity(
            tokens: microBatchTokens, expertsPerToken: model.expertsPerToken, experts: max(experts, 1))
        capacity = experts == 0 ? 0 : slots
        sendRows = min(microBatchTokens * model.expertsPerToken, capacity * experts)
        receiveRows = min(expertParallelSize * sendRows, capacity * experts)
    }

    /// What has room for any of `layers`. The layer with most experts need not be the one with most slots, because
    /// capacities are rounded up.
    package init(forAllOf layers: [LayerSizes]) {
        func largest(_ size: KeyPath<LayerSizes, Int>) -> Int { layers.map { $0[keyPath: size] }.max() ?? 0 }
        tokens = largest(\.tokens)
        experts = largest(\.experts)
        unroutedHidden = largest(\.unroutedHidden)
        capacity = largest(\.capacity)
        sendRows = largest(\.sendRows)
        receiveRows = largest(\.receiveRows)
        (expertParallelSize, expertsPerToken) = (layers[0].expertParallelSize, layers[0].expertsPerToken)
        routing = layers[0].routing
    }

    /// Returns the slots that each expert has for `tokens` tokens; nil if none are dropped.
    ///
    /// Whole micro-batches of training have `capacity`; those of evaluation may be shorter and have a factor of their own.
    func capacity(tokens count: Int, for purpose: PassPurpose) -> Int? {
        if purpose == .training && count == tokens { return capacity }
        let factor = purpose == .training ? routing.capacityFactor : routing.evaluationCapacityFactor
        return factor?.capacity(tokens: count, expertsPerToken: expertsPerToken, experts: experts)
    }
}
