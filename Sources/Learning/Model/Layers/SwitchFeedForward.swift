package import Collectives
package import Configuration
import Kernels
package import Tensors
package import Threading

/// `x ← x + Σ_j g_j·E_j(norm(x))` over the experts that a token chose and that had a seat for it.
///
/// Fedus, Zoph & Shazeer, "Switch Transformers" (arXiv:2101.03961), section 2.
package struct SwitchFeedForward: Sendable {
    private let norm: Norm
    private let router: Linear
    private let experts: Experts
    private let expertCount: Int
    private let choices: Int
    private let routing: RoutingSettings

    /// What the layer keeps for its backward pass.
    package struct Activations: Sendable {
        /// In float32, because the router reads it.
        package let norm: Norm.Activations
        package let route: Route
        package let exchange: ExpertExchange
        package let experts: Experts.Activations
        /// `[home seats, dModel]`: the experts' answers to this lane, in the order its rows left.
        package let answers: Operand

        package init(_ sizes: LaneSizes, _ model: ModelSettings, _ precision: Precision, groupSize: Int) {
            norm = Norm.Activations(tokens: sizes.tokens, dModel: model.dModel, .float32)
            route = Route(tokens: sizes.tokens, experts: sizes.experts, choicesPerToken: model.choices)
            exchange = ExpertExchange(groupSize: groupSize, localExperts: sizes.experts / groupSize)
            experts = Experts.Activations(seats: sizes.seats, model, precision)
            answers = Operand(precision, rows: sizes.homeSeats, columns: model.dModel)
        }

        /// The same memory for a layer of no more experts.
        func narrowed(toExperts experts: Int) -> Activations { Activations(self, experts: experts) }

        private init(_ wide: Activations, experts count: Int) {
            (norm, experts, answers) = (wide.norm, wide.experts, wide.answers)
            route = wide.route.narrowed(toExperts: count)
            exchange = wide.exchange.narrowed(toExperts: count)
        }
    }

    package init(_ layer: Int, _ model: ModelSettings, _ routing: RoutingSettings, _ layout: ParameterLayout) {
        let block = "blocks.\(layer)"
        norm = Norm("\(block).feed_forward_norm", model, layout)
        router = Linear("\(block).router", layout)
        experts = Experts(block, layout)
        expertCount = model.expertCount(inLayer: layer)
        choices = model.choices
        self.routing = routing
    }

    /// **Collective** over the expert group.
    /// - Parameters:
    ///   - x: `[tokens, dModel]`, one lane
    ///   - y: `[tokens, dModel]`, overwritten
    ///   - purpose: training drops what exceeds capacity, evaluation what its own capacity factor says
    package func forward(
        _ x: Tensor, _ parameters: ParameterArena, into y: Tensor, for purpose: LanePurpose, saving saved: Activations,
        workspace: LaneWorkspace, through dispatcher: any TokenDispatcher, on workers: Workers
    ) throws(CommunicationError) -> RouteStatistics {
        let tokens = x.rows, route = saved.route
        let h = norm.forward(x, parameters, saving: saved.norm, on: workers)
        let p = route.probabilities.rows(0..<tokens)
        router.forward(h, parameters, into: .float32(p), on: workers)
        routerSoftmax(p, logSumExp: route.logSumExp, on: workers)
        chooseExperts(
            p, k: choices, normalize: routing.normalizeGates, choices: route.choices, gates: route.gates,
            on: workers)
        if routing.spreadsEvenly { route.spreadEvenly(tokens: tokens) }
        route.assignSeats(tokens: tokens)
        let capacity = capacity(tokens: tokens, for: purpose)
        copyRows(x, into: y, on: workers)
        for window in try windows(of: route, capacity: capacity, for: purpose, workspace, dispatcher) {
            try send(h.tensor, window, adding: y, parameters, saved, workspace, dispatcher, workers)
        }
        return route.statistics(tokens: tokens, capacity: capacity)
    }

    private func capacity(tokens: Int, for purpose: LanePurpose) -> Int? {
        let factor = purpose == .training ? routing.capacityFactor : routing.evaluationCapacityFactor
        return factor.map { seats($0, tokens: tokens) }
    }

    private func seats(_ factor: CapacityFactor, tokens: Int) -> Int {
        factor.capacity(tokens: tokens, choices: choices, experts: expertCount)
    }

    /// Training's single window of seats; for evaluation as many windows as the group's longest queue needs, each no
    /// larger than the buffers of training.
    private func windows(
        of route: Route, capacity: Int?, for purpose: LanePurpose, _ workspace: LaneWorkspace,
        _ dispatcher: any TokenDispatcher
    ) throws(CommunicationError) -> [Range<Int>] {
        if purpose == .training, let capacity { return [0..<capacity] }
        let buffer = seats(routing.capacityFactor, tokens: workspace.laneTokens)
        let longest = min(route.longestQueue, capacity ?? Int.max)
        let passes = (try dispatcher.largest(longest) + buffer - 1) / buffer
        return (0..<passes).map { $0 * buffer..<max($0 * buffer, min(($0 + 1) * buffer, longest)) }
    }

    private func send(
        _ h: Tensor, _ window: Range<Int>, adding y: Tensor, _ parameters: ParameterArena, _ saved: Activations,
        _ workspace: LaneWorkspace, _ dispatcher: any TokenDispatcher, _ workers: Workers
    ) throws(CommunicationError) {
        let route = saved.route, exchange = saved.exchange
        route.seat(window, tokens: h.rows, counts: exchange.sent)
        let home = 0..<exchange.sentRows, rows = workspace.homeRows.rows(home)
        scatterToSeats(h, k: choices, rowOf: route.rowOf, into: rows, on: workers)
        try dispatcher.dispatch(rows, announcing: exchange, into: saved.experts.arrived)
        let results = workspace.expertRows.rows(0..<exchange.arrivedRows)
        experts.forward(exchange, parameters, saving: saved.experts, into: results, on: workers)
        try dispatcher.combine(results, along: exchange, into: saved.answers.rows(home))
        combineAnswers(
            saved.answers.rows(home), k: choices, rowOf: route.rowOf, gates: route.gates, addingTo: y, on: workers
        )
    }

    /// **Collective** over the expert group.
    /// - Parameters:
    ///   - dx: `[tokens, dModel]`: the gradient of what came out, to which this half's share is added
    ///   - x: what went in
    ///   - scale: of the auxiliary losses
    package func backward(
        addingTo dx: Tensor, x: Tensor, _ parameters: ParameterArena, saved: Activations, scale: LossScale,
        gradients: GradientAccumulator, workspace: LaneWorkspace, through dispatcher: any TokenDispatcher,
        on workers: Workers
    ) throws(CommunicationError) {
        let route = saved.route, exchange = saved.exchange, k = choices
        let tokens = 0..<x.rows, home = 0..<exchange.sentRows, away = 0..<exchange.arrivedRows
        let rows = workspace.homeRows.rows(home), arrived = workspace.expertRows.rows(away)
        combineAnswersBackward(
            dx, answers: saved.answers.rows(home), k: k, rowOf: route.rowOf, gates: route.gates, dAnswers: rows,
            dGates: workspace.dGates, on: workers)
        try dispatcher.dispatch(rows, along: exchange, into: arrived)
        experts.backward(
            replacing: arrived, exchange, parameters, saved: saved.experts,
            dHidden: workspace.scratch.dHidden.rows(away),
            gradients: gradients, on: workers)
        try dispatcher.combine(arrived, along: exchange, into: rows)

        let dLogits = workspace.scratch.dRouter.reshaped(rows: x.rows, columns: expertCount),
            dNorm = workspace.scratch.dNorm.rows(tokens)
        routerBackward(
            route.probabilities.rows(tokens), k: k, normalize: routing.normalizeGates, choices: route.choices,
            gates: route.gates, dGates: workspace.dGates, logSumExp: route.logSumExp, assigned: route.assigned,
            balanceScale: Float(routing.loadBalanceWeight * scale.auxiliary),
            zScale: Float(routing.zLossWeight * scale.auxiliary), into: dLogits, on: workers)
        router.backward(
            .float32(dLogits), x: saved.norm.output.rows(tokens), parameters, into: .float32(dNorm),
            gradients: gradients, on: workers)
        scatterToSeatsBackward(rows, k: k, rowOf: route.rowOf, addingTo: dNorm, on: workers)
        norm.backward(
            dNorm, x: x, parameters, saved: saved.norm, addingTo: dx, gradients: gradients,
            parts: workspace.scratch.normSums,
            on: workers)
    }
}
