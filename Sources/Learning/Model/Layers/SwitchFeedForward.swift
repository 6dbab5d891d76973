package import Collectives
package import Configuration
import Kernels
package import Tensors
import Threading

/// The feed-forward sublayer: `y = x + Σ_j gate_j·E_j(norm(x)) + S(norm(x))` over the selected experts that have a slot, with
/// what shared experts S there are; in a dense layer `y = x + S(norm(x))`, steps 1 and 10.
///
/// Fedus, Zoph & Shazeer, "Switch Transformers" (arXiv:2101.03961), section 2. The steps of the forward pass:
///
///     t tokens of the micro-batch · d dModel · E experts of the layer · k experts per token · C capacity
///     s rows that this rank sends, at most min(t·k, E·C) · r rows that its experts receive
///
///     1. normalize       h[t, d]        = norm(x)
///     2. score           p[t, E]        = softmax(h·W_r)
///     3. select          index, gate    = top-k of p                            [t·k]
///     4. assign slots    slot           = position in the expert's queue        [t·k]; slot ≥ C is dropped
///        for every range of slots (training: one; evaluation: as many as the longest queue needs):
///     5.   scatter       send[s, d]     = rows of h, by expert and then by slot
///     6.   dispatch      received[r, d] = all-to-all(send)                      collective
///     7.   experts       out[r, d]      = (silu(received·W_gate) ⊙ (received·W_up))·W_down
///     8.   combine       returned[s, d] = all-to-all(out), the adjoint of 6     collective
///     9.   add           y[t, d]       += Σ_j gate_j·returned[row(t, j)], in order of choice; y starts as x
///
///    10. share         y[t, d]       += S(h): the shared experts of every rank, on its own tokens
///
/// The backward pass reverses 9 to 1, then adds what 10 gives to dh. Its sums keep this order: balancing gradient, gates'
/// gradient, router's part of dh, experts' part of dh, shared experts' part of dh.
package struct SwitchFeedForward: Sendable {
    private let norm: Norm
    /// Nil in a dense layer.
    private let routed: (router: Router, experts: RoutedExperts)?
    private let unrouted: UnroutedFeedForward?

    /// What the layer keeps for its backward pass.
    package struct Activations: Sendable {
        let sizes: LayerSizes
        /// In float32, because the router reads it.
        package let norm: Norm.Activations
        package let route: Routing
        package let experts: RoutedExperts.Activations
        package let unrouted: UnroutedFeedForward.Activations

        package init(_ sizes: LayerSizes, _ model: ModelShape, _ precision: Precision) {
            self.sizes = sizes
            norm = Norm.Activations(tokens: sizes.tokens, dModel: model.dModel, .float32)
            route = Routing(tokens: sizes.tokens, experts: sizes.experts, expertsPerToken: model.expertsPerToken)
            experts = RoutedExperts.Activations(sizes, model, precision)
            unrouted = UnroutedFeedForward.Activations(sizes, model, precision)
        }

        /// The same memory for a layer of no more experts.
        func narrowed(to sizes: LayerSizes) -> Activations { Activations(self, sizes) }

        private init(_ wide: Activations, _ sizes: LayerSizes) {
            self.sizes = sizes
            norm = wide.norm
            route = wide.route.narrowed(toExperts: sizes.experts)
            experts = wide.experts.narrowed(to: sizes)
            unrouted = wide.unrouted.narrowed(to: sizes)
        }
    }

    package init(_ layer: Int, _ model: ModelShape, _ routing: RoutingConfiguration, _ layout: ParameterLayout) {
        let block = "blocks.\(layer)"
        norm = Norm("\(block).feed_forward_norm", model, layout)
        routed =
            model.isRouted(layer)
            ? (Router(block, routing, layers: model.routedLayers, layout), RoutedExperts(block, layout)) : nil
        unrouted =
            model.unroutedHiddenSize(inLayer: layer) > 0 ? UnroutedFeedForward(layer, model, layout) : nil
    }

    /// Computes `y` and returns what the records keep of the routing. **Collective** over the expert group.
    /// - Parameters:
    ///   - x: `[t, d]`
    ///   - y: `[t, d]`, overwritten
    package func forward(
        _ x: Tensor, into y: Tensor, saving saved: Activations, in pass: ForwardContext
    ) throws(CommunicationError) -> RoutingStatistics {
        let h = norm.forward(x, saving: saved.norm, in: pass)
        copyRows(x, into: y, on: pass.pool)
        let statistics = try routedForward(h, addingTo: y, saving: saved, in: pass)
        unrouted?.forward(h, addingTo: y, saving: saved.unrouted, in: pass)
        return statistics
    }

    /// Steps 2 to 9. **Collective** over the expert group.
    private func routedForward(
        _ h: Operand, addingTo y: Tensor, saving saved: Activations, in pass: ForwardContext
    ) throws(CommunicationError) -> RoutingStatistics {
        guard let (router, experts) = routed else { return RoutingStatistics.ofDenseLayer(tokens: h.rows) }
        let routing = saved.route, capacity = saved.sizes.capacity(tokens: h.rows, for: pass.purpose)
        router.forward(h, into: routing, in: pass)
        for slots in try slotRanges(of: routing, capacity: capacity, buffer: saved.sizes.capacity, in: pass) {
            try experts.forward(h.tensor, routing, slots: slots, addingTo: y, saving: saved.experts, in: pass)
        }
        return router.statistics(of: routing, tokens: h.rows, capacity: capacity)
    }

    /// Training's single range of slots; for evaluation as many ranges as the group's longest queue needs, each no
    /// larger than the buffers, which have the capacity of training.
    private func slotRanges(
        of routing: Routing, capacity: Int?, buffer: Int, in pass: ForwardContext
    ) throws(CommunicationError) -> [Range<Int>] {
        if pass.purpose == .training, let capacity { return [0..<capacity] }
        let longest = min(routing.maximumTokensPerExpert, capacity ?? Int.max)
        let count = (try pass.dispatcher.maximum(of: longest) + buffer - 1) / buffer
        return (0..<count).map { $0 * buffer..<max($0 * buffer, min(($0 + 1) * buffer, longest)) }
    }

    /// Adds the sublayer's part to the residual stream's gradient. **Collective** over the expert group.
    /// - Parameters:
    ///   - dx: `[t, d]`: the gradient of y, to which that of x through the experts is added
    ///   - x: `[t, d]`, the input of the forward pass
    package func backward(
        addingTo dx: Tensor, input x: Tensor, saved: Activations, in pass: BackwardContext
    ) throws(CommunicationError) {
        let tokens = 0..<x.rows, dGates = pass.workspace.dGates
        let h = saved.norm.output.rows(tokens), dh = pass.workspace.scratch.dNorm.rows(tokens)
        if let (router, experts) = routed {
            try experts.backward(dx, saved.route, dGates: dGates, saved: saved.experts, in: pass)
            router.backward(dGates, routing: saved.route, input: h, into: dh, in: pass)
            experts.scatterBackward(addingTo: dh, saved.route, saved: saved.experts, in: pass)
        }
        unrouted?.backward(dx, input: h, into: dh, adding: routed != nil, saved: saved.unrouted, in: pass)
        norm.backward(dh, input: x, saved: saved.norm, addingTo: dx, in: pass)
    }
}
