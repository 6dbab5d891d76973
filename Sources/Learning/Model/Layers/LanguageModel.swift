package import Collectives
package import Configuration
import Kernels
import MatrixProducts
package import Tensors
package import Threading

/// A decoder-only Switch transformer: embedding, blocks, final norm, head. A description; arenas hold the numbers.
package struct LanguageModel: Sendable {
    package let settings: ModelSettings
    package let routing: RoutingSettings
    package let layout: ParameterLayout
    private let blocks: [Block]
    private let finalNorm: Norm
    private let embedding: ParameterID
    private let head: ParameterID

    package init(_ settings: ModelSettings, _ routing: RoutingSettings, _ share: ExpertShare) {
        self.settings = settings
        self.routing = routing
        let layout = ParameterLayout(settings, share)
        self.layout = layout
        blocks = (0..<settings.layers).map { Block($0, settings, routing, layout) }
        finalNorm = Norm("final_norm", settings, layout)
        embedding = layout.id("embedding")
        head = settings.tieEmbeddings ? embedding : layout.id("head")
    }

    /// Loss of one lane, and its gradients into `gradients`. **Collective** over the expert group.
    /// - Parameter completed: told when the lane's gradients of all from a block up to the head are there
    package func train(
        _ lane: Lane, _ parameters: ParameterArena, scale: LossScale, gradients: GradientAccumulator,
        workspace: LaneWorkspace, through dispatcher: any TokenDispatcher, on workers: Workers,
        completed: (_ block: Int) -> Void = { _ in }
    ) throws(CommunicationError) -> LaneStatistics {
        workers.tracer?.begin(.forward)
        var statistics = try forward(lane, parameters, for: .training, workspace, dispatcher, workers)
        workers.tracer?.end()
        lossAndHeadBackward(lane, parameters, scale, gradients, workspace, workers)
        workers.tracer?.begin(.backward)
        defer { workers.tracer?.end() }
        let dx = workspace.dStream.rows(0..<lane.tokens)
        completed(blocks.count)
        for layer in blocks.indices.reversed() {
            try blocks[layer].backward(
                replacing: dx, sequenceLength: lane.sequenceLength, parameters, saved: workspace.blocks[layer],
                scale: scale, gradients: gradients, workspace: workspace, through: dispatcher, on: workers)
            completed(layer)
        }
        if lane.tokens > 0 {
            gradients.accumulate(embedding, on: workers) { target in
                embedBackward(
                    dx, tokens: lane.inputs, dTable: target.tensor(), adding: target.isAdding(), on: workers)
            }
        }
        statistics.crossEntropy = sumOfLosses(lane, workspace)
        return statistics
    }

    /// Loss of one lane alone. **Collective** over the expert group.
    package func evaluate(
        _ lane: Lane, _ parameters: ParameterArena, workspace: LaneWorkspace, through dispatcher: any TokenDispatcher,
        on workers: Workers
    ) throws(CommunicationError) -> LaneStatistics {
        var statistics = try forward(lane, parameters, for: .evaluation, workspace, dispatcher, workers)
        let tokens = 0..<lane.tokens
        let h = finalNorm.forward(
            workspace.output.rows(tokens), parameters, saving: workspace.finalNorm, on: workers)
        crossEntropy(
            h, head: parameters.operand(head, like: h), targets: lane.targets, losses: workspace.losses,
            scratch: workspace.scratch.logits, on: workers)
        statistics.crossEntropy = sumOfLosses(lane, workspace)
        return statistics
    }

    /// Logits of what follows a sequence once `lane` has gone on with it. **Collective** over the expert group.
    /// - Parameters:
    ///   - lane: the beginning of the sequence, or one more token of it
    ///   - cache: what is kept of the tokens before the lane, to which the lane's are added
    /// - Returns: `[1, vocabulary]`, valid until the workspace is used again
    package func nextTokenLogits(
        _ lane: Lane, _ parameters: ParameterArena, extending cache: KeyValueCache, workspace: LaneWorkspace,
        through dispatcher: any TokenDispatcher, on workers: Workers
    ) throws(CommunicationError) -> Tensor {
        precondition(lane.sequences == 1 && (cache.count == 0 || lane.tokens == 1))
        precondition(cache.count + lane.tokens <= cache.context)
        _ = try forward(lane, parameters, for: .evaluation, extending: cache, workspace, dispatcher, workers)
        cache.advance(by: lane.tokens)
        let last = lane.tokens - 1..<lane.tokens
        let h = finalNorm.forward(
            workspace.output.rows(last), parameters, saving: workspace.finalNorm, on: workers)
        let logits = workspace.scratch.logits.logits.rows(0..<1)
        multiply(h.factor, parameters.operand(head, like: h).transposed, into: .float32(logits), on: workers)
        return logits
    }

    private func forward(
        _ lane: Lane, _ parameters: ParameterArena, for purpose: LanePurpose, extending cache: KeyValueCache? = nil,
        _ workspace: LaneWorkspace, _ dispatcher: any TokenDispatcher, _ workers: Workers
    ) throws(CommunicationError) -> LaneStatistics {
        let tokens = 0..<lane.tokens
        var statistics = LaneStatistics()
        statistics.tokens = lane.tokens
        embed(
            lane.inputs, table: parameters.tensor(embedding), into: workspace.blocks[0].input.rows(tokens), on: workers)
        for layer in blocks.indices {
            let next = layer + 1 < blocks.count ? workspace.blocks[layer + 1].input : workspace.output
            let route = try blocks[layer].forward(
                into: next.rows(tokens), sequenceLength: lane.sequenceLength, parameters, for: purpose,
                saving: workspace.blocks[layer], extending: cache?.layer(layer), workspace: workspace,
                through: dispatcher, on: workers)
            statistics.routes.append(route)
        }
        return statistics
    }

    /// Cross-entropy, and the gradients of the head and of the final norm; leaves the residual stream's in `dStream`.
    private func lossAndHeadBackward(
        _ lane: Lane, _ parameters: ParameterArena, _ scale: LossScale, _ gradients: GradientAccumulator,
        _ workspace: LaneWorkspace, _ workers: Workers
    ) {
        guard lane.tokens > 0 else { return }
        workers.tracer?.begin(.loss)
        defer { workers.tracer?.end() }
        let tokens = 0..<lane.tokens
        let x = workspace.output.rows(tokens), dNorm = workspace.scratch.dNorm.rows(tokens)
        let h = finalNorm.forward(x, parameters, saving: workspace.finalNorm, on: workers)
        gradients.accumulate(head, on: workers) { target in
            crossEntropyWithGradient(
                h, head: parameters.operand(head, like: h), targets: lane.targets, scale: Float(scale.crossEntropy),
                losses: workspace.losses, dx: dNorm, dHead: target.tensor(), adding: target.isAdding(),
                scratch: workspace.scratch.logits, on: workers)
        }
        let dx = workspace.dStream.rows(tokens)
        clear(dx, on: workers)
        finalNorm.backward(
            dNorm, x: x, parameters, saved: workspace.finalNorm, addingTo: dx, gradients: gradients,
            parts: workspace.scratch.normSums, on: workers)
    }

    /// In token order, in double precision.
    private func sumOfLosses(_ lane: Lane, _ workspace: LaneWorkspace) -> Double {
        (0..<lane.tokens).reduce(0) { $0 + Double(workspace.losses[$1]) }
    }
}
