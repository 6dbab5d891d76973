package import Collectives
package import Configuration
import Kernels
import MatrixProducts
package import Tensors
import Threading

/// A decoder-only Switch transformer: embedding, blocks, mostly a final norm, head. A description; arenas hold the numbers.
package struct LanguageModel: Sendable {
    package let settings: ModelShape
    package let routing: RoutingConfiguration
    package let layout: ParameterLayout
    private let blocks: [Block]
    private let headInput: HeadInput
    private let embedding: ParameterID
    private let head: ParameterID

    package init(_ settings: ModelShape, _ routing: RoutingConfiguration, _ share: ExpertShard) {
        self.settings = settings
        self.routing = routing
        let layout = ParameterLayout(settings, share)
        self.layout = layout
        blocks = (0..<settings.layers).map { Block($0, settings, routing, layout) }
        headInput = HeadInput(settings, layout)
        embedding = layout.id("embedding")
        head = settings.tieEmbeddings ? embedding : layout.id("head")
    }

    /// Computes the loss of one micro-batch, and adds its gradients to `pass.gradients`. **Collective** over the expert group.
    /// - Parameter completed: called when the micro-batch's gradients of everything from a block up to the head are complete
    package func train(
        _ microBatch: MicroBatch, in pass: BackwardContext, completed: (_ block: Int) -> Void = { _ in }
    ) throws(CommunicationError) -> MicroBatchStatistics {
        precondition(pass.forward.purpose == .training)
        let tracer = pass.pool.tracer, workspace = pass.workspace
        tracer?.begin(.forward)
        var statistics = try forward(microBatch, in: pass.forward)
        tracer?.end()
        lossAndHeadBackward(microBatch, in: pass)
        tracer?.begin(.backward)
        defer { tracer?.end() }
        let dx = workspace.dResidual.rows(0..<microBatch.tokens)
        completed(blocks.count)
        for layer in blocks.indices.reversed() {
            try blocks[layer].backward(replacing: dx, saved: workspace.blocks[layer], in: pass)
            completed(layer)
        }
        if microBatch.tokens > 0 {
            pass.gradients.accumulate(embedding, on: pass.pool) { target in
                embedBackward(
                    dx, tokens: microBatch.inputs, dTable: target.tensor(), adding: target.isAdding(), on: pass.pool)
            }
        }
        statistics.crossEntropy = sumOfLosses(microBatch, workspace)
        return statistics
    }

    /// Computes the loss of one micro-batch alone. **Collective** over the expert group.
    package func evaluate(_ microBatch: MicroBatch, in pass: ForwardContext) throws(CommunicationError)
        -> MicroBatchStatistics
    {
        precondition(pass.purpose == .evaluation && pass.cache == nil)
        let workspace = pass.workspace
        var statistics = try forward(microBatch, in: pass)
        let h = headInput.forward(workspace.output.rows(0..<microBatch.tokens), saving: workspace.finalNorm, in: pass)
        crossEntropy(
            h, head: pass.parameters.operand(head, like: h), targets: microBatch.targets, losses: workspace.losses,
            scratch: workspace.scratch.logits, on: pass.pool)
        statistics.crossEntropy = sumOfLosses(microBatch, workspace)
        return statistics
    }

    /// Computes the logits of the token that follows `microBatch`, and adds the micro-batch to `pass.cache`. **Collective**
    /// over the expert group.
    /// - Parameter microBatch: the beginning of the sequence, or one more token of it
    /// - Returns: `[1, vocabulary]`, valid until the workspace is used again
    package func nextTokenLogits(_ microBatch: MicroBatch, in pass: ForwardContext) throws(CommunicationError) -> Tensor
    {
        guard let cache = pass.cache else { preconditionFailure("generation keeps keys and values") }
        precondition(pass.purpose == .evaluation)
        precondition(microBatch.sequences == 1 && (cache.count == 0 || microBatch.tokens == 1))
        precondition(cache.count + microBatch.tokens <= cache.context)
        let workspace = pass.workspace
        _ = try forward(microBatch, in: pass)
        cache.advance(by: microBatch.tokens)
        let last = workspace.output.rows(microBatch.tokens - 1..<microBatch.tokens)
        let h = headInput.forward(last, saving: workspace.finalNorm, in: pass)
        let logits = workspace.scratch.logits.logits.rows(0..<1)
        multiply(h.factor, pass.parameters.operand(head, like: h).transposed, into: .float32(logits), on: pass.pool)
        return logits
    }

    private func forward(_ microBatch: MicroBatch, in pass: ForwardContext) throws(CommunicationError)
        -> MicroBatchStatistics
    {
        precondition(microBatch.sequenceLength == pass.sequenceLength)
        precondition(microBatch.documentStarts?.count == pass.documentStarts?.count)
        let tokens = 0..<microBatch.tokens, saved = pass.workspace.blocks
        var statistics = MicroBatchStatistics()
        (statistics.tokens, statistics.visiblePairs) = (microBatch.tokens, microBatch.visiblePairs)
        embed(
            microBatch.inputs, table: pass.parameters.tensor(embedding), into: saved[0].input.rows(tokens),
            on: pass.pool)
        for layer in blocks.indices {
            let next = layer + 1 < blocks.count ? saved[layer + 1].input : pass.workspace.output
            let route = try blocks[layer].forward(into: next.rows(tokens), saving: saved[layer], in: pass)
            statistics.routes.append(route)
        }
        return statistics
    }

    /// Cross-entropy, and the gradients of the head and of the norm before it; leaves the residual stream's in `dResidual`.
    private func lossAndHeadBackward(_ microBatch: MicroBatch, in pass: BackwardContext) {
        guard microBatch.tokens > 0 else { return }
        let workspace = pass.workspace, pool = pass.pool
        pool.tracer?.begin(.loss)
        defer { pool.tracer?.end() }
        let tokens = 0..<microBatch.tokens
        let x = workspace.output.rows(tokens), dx = workspace.dResidual.rows(tokens)
        let h = headInput.forward(x, saving: workspace.finalNorm, in: pass.forward)
        headInput.backward(x, saved: workspace.finalNorm, into: dx, in: pass) { dh in
            pass.gradients.accumulate(head, on: pool) { target in
                crossEntropyWithGradient(
                    h, head: pass.parameters.operand(head, like: h), targets: microBatch.targets,
                    scale: Float(pass.scale.crossEntropy), losses: workspace.losses, dx: dh, dHead: target.tensor(),
                    adding: target.isAdding(), scratch: workspace.scratch.logits, on: pool)
            }
        }
    }

    /// In token order, in double precision.
    private func sumOfLosses(_ microBatch: MicroBatch, _ workspace: MicroBatchWorkspace) -> Double {
        (0..<microBatch.tokens).reduce(0) { $0 + Double(workspace.losses[$1]) }
    }
}
