package import Configuration
import Kernels
package import Tensors

/// Scores the experts for every token and selects k of them: `p = softmax(h·W_r)`, top-k of p.
///
/// Fedus, Zoph & Shazeer, "Switch Transformers" (arXiv:2101.03961), section 2.1.
package struct Router: Sendable {
    private let projection: Linear
    private let settings: RoutingConfiguration
    private let balancing: any LoadBalancing

    package init(_ block: String, _ settings: RoutingConfiguration, _ layout: ParameterLayout) {
        projection = Linear("\(block).router", layout)
        self.settings = settings
        balancing = settings.balancing
    }

    /// Fills in scores, expert indices, gates and slots.
    /// - Parameter h: `[tokens, dModel]`, in float32
    package func forward(_ h: Operand, into routing: Routing, in pass: ForwardContext) {
        let p = routing.probabilities.rows(0..<h.rows)
        projection.forward(h, into: .float32(p), in: pass)
        routerSoftmax(p, logSumExp: routing.logSumExp, on: pass.pool)
        selectTopK(
            p, k: routing.expertsPerToken, normalize: settings.normalizeGates, expertIndices: routing.expertIndices,
            gates: routing.gates, on: pass.pool)
        if settings.isRoundRobin { routing.assignRoundRobin(tokens: h.rows) }
        routing.assignSlots(tokens: h.rows)
    }

    /// What one micro-batch adds to the loss and to the records.
    /// - Parameter capacity: slots per expert; nil if none are dropped
    func statistics(of routing: Routing, tokens: Int, capacity: Int?) -> RoutingStatistics {
        routing.statistics(tokens: tokens, capacity: capacity, balancing: balancing)
    }

    /// Writes the balancing losses' gradient, adds that of the gates, and carries both through the scores.
    /// - Parameters:
    ///   - dGates: `[tokens · k]`
    ///   - h: `[tokens, dModel]`, the input of the forward pass
    ///   - dh: `[tokens, dModel]`, overwritten
    package func backward(
        _ dGates: Vector<Float>, routing: Routing, input h: Operand, into dh: Tensor, in pass: BackwardContext
    ) {
        let dLogits = pass.workspace.scratch.dRouter.reshaped(rows: h.rows, columns: routing.experts)
        balancing.gradient(of: routing, scale: pass.scale.auxiliary, into: dLogits, on: pass.pool)
        routerBackward(
            routing.probabilities.rows(0..<h.rows), k: routing.expertsPerToken, normalize: settings.normalizeGates,
            expertIndices: routing.expertIndices, gates: routing.gates, dGates: dGates, logSumExp: routing.logSumExp,
            zScale: Float(settings.zLossWeight * pass.scale.auxiliary), replacing: dLogits, on: pass.pool)
        projection.backward(.float32(dLogits), input: h, into: .float32(dh), in: pass)
    }
}
