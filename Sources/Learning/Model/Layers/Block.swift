package import Collectives
package import Configuration
package import Tensors
package import Threading

/// One pre-norm transformer block: attention, then the Switch feed-forward, each added to the residual stream.
package struct Block: Sendable {
    private let layer: Int
    private let attention: SelfAttention
    private let feedForward: SwitchFeedForward

    /// What a block keeps for its backward pass.
    package struct Activations: Sendable {
        /// `[tokens, dModel]`: the residual stream as it entered, and after attention.
        package let input: Tensor
        package let middle: Tensor
        package let attention: SelfAttention.Activations
        package let feedForward: SwitchFeedForward.Activations

        /// - Parameters:
        ///   - sizes: of this block's layer
        ///   - shared: another block's of sizes no smaller, whose memory serves this one too where recomputation allows it
        package init(
            _ sizes: LaneSizes, _ model: ModelSettings, _ precision: Precision, groupSize: Int,
            sharing shared: Activations? = nil, _ recomputation: Recomputation = .none
        ) {
            input = Tensor(rows: sizes.tokens, columns: model.dModel)
            if let shared, recomputation != .none {
                attention = shared.attention
            } else {
                attention = SelfAttention.Activations(tokens: sizes.tokens, model, precision)
            }
            if let shared, recomputation == .block {
                middle = shared.middle
                feedForward = shared.feedForward.narrowed(toExperts: sizes.experts)
            } else {
                middle = Tensor(rows: sizes.tokens, columns: model.dModel)
                feedForward = SwitchFeedForward.Activations(sizes, model, precision, groupSize: groupSize)
            }
        }

        /// The same memory for a layer of no more experts.
        func narrowed(toExperts experts: Int) -> Activations { Activations(self, experts: experts) }

        private init(_ wide: Activations, experts: Int) {
            (input, middle, attention) = (wide.input, wide.middle, wide.attention)
            feedForward = wide.feedForward.narrowed(toExperts: experts)
        }
    }

    package init(_ layer: Int, _ model: ModelSettings, _ routing: RoutingSettings, _ layout: ParameterLayout) {
        self.layer = layer
        attention = SelfAttention("blocks.\(layer)", model, layout)
        feedForward = SwitchFeedForward(layer, model, routing, layout)
    }

    /// From `saved.input` to `y`. **Collective** over the expert group.
    /// - Parameters:
    ///   - y: `[tokens, dModel]`
    ///   - cache: of the one sequence that goes on with the input
    package func forward(
        into y: Tensor, sequenceLength: Int, _ parameters: ParameterArena, for purpose: LanePurpose,
        saving saved: Activations, extending cache: KeyValueCache.Layer? = nil, workspace: LaneWorkspace,
        through dispatcher: any TokenDispatcher, on workers: Workers
    ) throws(CommunicationError) -> RouteStatistics {
        let tokens = 0..<y.rows
        workers.tracer?.begin(.attentionHalf, layer)
        attention.forward(
            saved.input.rows(tokens), sequenceLength: sequenceLength, parameters, into: saved.middle.rows(tokens),
            saving: saved.attention, extending: cache, workspace: workspace, on: workers)
        workers.tracer?.end()
        workers.tracer?.begin(.feedForwardHalf, layer)
        defer { workers.tracer?.end() }
        return try feedForward.forward(
            saved.middle.rows(tokens), parameters, into: y, for: purpose, saving: saved.feedForward,
            workspace: workspace, through: dispatcher, on: workers)
    }

    /// - Parameter dx: `[tokens, dModel]`: the gradient of what came out in, of what went in out. **Collective**.
    package func backward(
        replacing dx: Tensor, sequenceLength: Int, _ parameters: ParameterArena, saved: Activations, scale: LossScale,
        gradients: GradientAccumulator, workspace: LaneWorkspace, through dispatcher: any TokenDispatcher,
        on workers: Workers
    ) throws(CommunicationError) {
        let tokens = 0..<dx.rows
        if workspace.recomputation == .block {
            // The output is not needed again; its memory is free since the head's backward pass.
            _ = try forward(
                into: workspace.output.rows(tokens), sequenceLength: sequenceLength, parameters, for: .training,
                saving: saved, workspace: workspace, through: dispatcher, on: workers)
        }
        workers.tracer?.begin(.feedForwardHalf, layer)
        try feedForward.backward(
            addingTo: dx, x: saved.middle.rows(tokens), parameters, saved: saved.feedForward, scale: scale,
            gradients: gradients, workspace: workspace, through: dispatcher, on: workers)
        workers.tracer?.end()
        workers.tracer?.begin(.attentionHalf, layer)
        defer { workers.tracer?.end() }
        if workspace.recomputation == .attention {
            attention.attend(
                saved.input.rows(tokens), sequenceLength: sequenceLength, parameters, saving: saved.attention,
                workspace: workspace, on: workers)
        }
        attention.backward(
            addingTo: dx, x: saved.input.rows(tokens), sequenceLength: sequenceLength, parameters,
            saved: saved.attention,
            gradients: gradients, workspace: workspace, on: workers)
    }
}
