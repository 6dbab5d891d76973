package import Collectives
package import Configuration
package import Tensors
import Threading

/// One pre-norm transformer block: attention, then the Switch feed-forward, each added to the residual stream.
package struct Block: Sendable {
    private let layer: Int
    private let attention: SelfAttention
    private let feedForward: SwitchFeedForward

    /// What a block keeps for its backward pass.
    package struct Activations: Sendable {
        /// `[tokens, dModel]`: the residual stream as it entered, and after attention.
        package let input: Tensor
        package let afterAttention: Tensor
        package let attention: SelfAttention.Activations
        package let feedForward: SwitchFeedForward.Activations

        /// - Parameters:
        ///   - sizes: of this block's layer
        ///   - shared: another block's of sizes no smaller, whose memory serves this one too where recomputation allows it
        package init(
            _ sizes: LayerSizes, _ model: ModelShape, _ precision: Precision,
            sharing shared: Activations? = nil, _ recomputation: Recomputation = .none
        ) {
            input = Tensor(rows: sizes.tokens, columns: model.dModel)
            if let shared, recomputation != .none {
                attention = shared.attention
            } else {
                attention = SelfAttention.Activations(tokens: sizes.tokens, model, precision)
            }
            if let shared, recomputation == .block {
                afterAttention = shared.afterAttention
                feedForward = shared.feedForward.narrowed(to: sizes)
            } else {
                afterAttention = Tensor(rows: sizes.tokens, columns: model.dModel)
                feedForward = SwitchFeedForward.Activations(sizes, model, precision)
            }
        }

        /// The same memory for a layer of no more experts.
        func narrowed(to sizes: LayerSizes) -> Activations { Activations(self, sizes) }

        private init(_ wide: Activations, _ sizes: LayerSizes) {
            (input, afterAttention, attention) = (wide.input, wide.afterAttention, wide.attention)
            feedForward = wide.feedForward.narrowed(to: sizes)
        }
    }

    package init(_ layer: Int, _ model: ModelShape, _ routing: RoutingConfiguration, _ layout: ParameterLayout) {
        self.layer = layer
        attention = SelfAttention(layer, model, layout)
        feedForward = SwitchFeedForward(layer, model, routing, layout)
    }

    /// Computes `y` from `saved.input`. **Collective** over the expert group.
    /// - Parameter y: `[tokens, dModel]`
    package func forward(
        into y: Tensor, saving saved: Activations, in pass: ForwardContext
    ) throws(CommunicationError) -> RoutingStatistics {
        let tokens = 0..<y.rows, tracer = pass.pool.tracer
        let afterAttention = saved.afterAttention.rows(tokens)
        tracer?.begin(.attentionSublayer, layer)
        attention.forward(saved.input.rows(tokens), into: afterAttention, saving: saved.attention, in: pass)
        tracer?.end()
        tracer?.begin(.feedForwardSublayer, layer)
        defer { tracer?.end() }
        return try feedForward.forward(afterAttention, into: y, saving: saved.feedForward, in: pass)
    }

    /// Replaces the gradient of the block's output by that of its input. **Collective** over the expert group.
    /// - Parameter dx: `[tokens, dModel]`
    package func backward(
        replacing dx: Tensor, saved: Activations, in pass: BackwardContext
    ) throws(CommunicationError) {
        let tokens = 0..<dx.rows, workspace = pass.workspace, tracer = pass.pool.tracer
        if workspace.recomputation == .block {
            // The output is not needed again; its memory is free since the head's backward pass.
            _ = try forward(into: workspace.output.rows(tokens), saving: saved, in: pass.forward)
        }
        tracer?.begin(.feedForwardSublayer, layer)
        try feedForward.backward(
            addingTo: dx, input: saved.afterAttention.rows(tokens), saved: saved.feedForward, in: pass)
        tracer?.end()
        tracer?.begin(.attentionSublayer, layer)
        defer { tracer?.end() }
        let input = saved.input.rows(tokens)
        if workspace.recomputation == .attention { attention.attend(input, saving: saved.attention, in: pass.forward) }
        attention.backward(addingTo: dx, input: input, saved: saved.attention, in: pass)
    }
}
