package import Configuration
package import Tensors

/// Scores the experts for every token, selects k of them and keeps their load even, by the rules of a `RoutingPolicy`.
///
/// Fedus, Zoph & Shazeer, "Switch Transformers" (arXiv:2101.03961), section 2.1.
package struct Router: Sendable {
    private let projection: Linear
    private let policy: RoutingPolicy
    private let zLossWeight: Double

    /// - Parameters:
    ///   - block: the prefix of its parameters' names
    ///   - settings: the rules
    ///   - layers: of the model, that have a router
    ///   - layout: where the parameters lie
    package init(_ block: String, _ settings: RoutingConfiguration, layers: Int, _ layout: ParameterLayout) {
        projection = Linear("\(block).router", layout)
        policy = RoutingPolicy(
            settings, layers: layers, state: settings.balancing.state.map { layout.id("\(block).\($0)") })
        zLossWeight = settings.weights(layers: layers).z
    }

    /// Fills in scores, expert indices, gates and slots.
    /// - Parameter h: `[tokens, dModel]`, in float32
    package func forward(_ h: Operand, into routing: Routing, in pass: ForwardContext) {
        let scores = routing.probabilities.rows(0..<h.rows)
        projection.forward(h, into: .float32(scores), in: pass)
        policy.scoring.forward(scores, logSumExp: routing.logSumExp, in: pass)
        policy.selection.forward(routing, tokens: h.rows, in: pass)
        routing.assignSlots(tokens: h.rows)
    }

    /// What one micro-batch adds to the loss and to the records.
    /// - Parameter capacity: slots per expert; nil if none are dropped
    func statistics(of routing: Routing, tokens: Int, capacity: Int?) -> RoutingStatistics {
        routing.statistics(tokens: tokens, capacity: capacity, balancing: policy.balancing)
    }

    /// Writes the balancing losses' gradient, adds that of the gates, and carries both through the scores.
    /// - Parameters:
    ///   - dGates: `[tokens · k]`
    ///   - h: `[tokens, dModel]`, the input of the forward pass
    ///   - dh: `[tokens, dModel]`, overwritten
    package func backward(
        _ dGates: Vector<Float>, routing: Routing, input h: Operand, into dh: Tensor, in pass: BackwardContext
    ) {
        let dScores = pass.workspace.scratch.dRouter.reshaped(rows: h.rows, columns: routing.experts)
        policy.balancing.gradient(of: routing, scale: pass.scale.auxiliary, into: dScores, on: pass.pool)
        policy.selection.backward(dGates, of: routing, addingTo: dScores, in: pass)
        policy.scoring.backward(
            routing.probabilities.rows(0..<h.rows), logSumExp: routing.logSumExp, zLossWeight: zLossWeight,
            replacing: dScores, in: pass)
        projection.backward(.float32(dScores), input: h, into: .float32(dh), in: pass)
    }
}
