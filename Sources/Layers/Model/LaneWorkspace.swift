import Kernels
package import Tensors

/// All memory that one lane needs on one rank, allocated once: what the forward pass keeps for the backward pass, and
/// scratch. A steady step allocates no tensors.
package final class LaneWorkspace: Sendable {
    /// Activations of every block; all the same memory if nothing is kept for a backward pass.
    let blocks: [Block.Activations]
    let recomputation: Recomputation
    let finalNorm: Norm.Activations
    /// `[tokens, dModel]`: what leaves the last block.
    let output: Tensor

    /// `[tokens, dModel]` each: the residual stream's gradient, and that of a norm's output.
    let dStream: Tensor
    let dNorm: Tensor
    /// `[tokenSumRows(tokens), dModel]`: parts of the sums that norms' weights get.
    let normSums: Tensor
    /// The residual stream's gradient as a factor of products; empty in float32, which needs no copy.
    let dStreamOperand: Operand
    /// `[tokens, dModel]`
    let dAttended: Operand
    /// `[tokens, 3·dModel]`
    let dQKV: Operand
    /// `[tokens, experts]` of the layer with most of them
    let dRouter: Tensor
    /// `[tokens · k]`
    let dGates: Vector<Float>

    /// `[home seats, dModel]`: rows of this lane that leave for experts and come back.
    let homeRows: Operand
    /// `[seats, dModel]`: answers of this rank's experts, or their gradients.
    let expertRows: Operand
    /// `[seats, hidden]`
    let dHidden: Operand
    /// Tokens of the longest lane, for whose seats there is room.
    let laneTokens: Int

    /// Of one chunk of tokens.
    let logits: LogitScratch
    /// `[tokens]`
    package let losses: Vector<Float>
    let rotary: RotaryTable
    let attentionScratch: [AttentionScratch]

    /// - Parameters:
    ///   - precision: of matrix products
    ///   - recomputation: what backward passes compute again
    ///   - laneTokens: the longest lane
    ///   - groupSize: ranks that share out one set of experts
    ///   - keepsActivations: whether there will be backward passes
    ///   - other: a workspace alike whose lane never computes at the same time, for scratch that no exchange crosses
    package init(
        _ model: ModelSettings, _ routing: RoutingSettings, _ precision: Precision = .float32,
        recomputation: Recomputation = .none, laneTokens: Int, groupSize: Int, keepsActivations: Bool, threads: Int,
        sharing other: LaneWorkspace? = nil
    ) {
        let tokens = laneTokens, d = model.dModel
        let layers = LaneSizes.byLayer(model, routing, laneTokens: laneTokens, groupSize: groupSize)
        let sizes = LaneSizes(forAllOf: layers)
        self.laneTokens = laneTokens
        self.recomputation = recomputation
        // What serves several layers has room for each.
        let isShared = recomputation.kept(layers: model.layers, forBackward: keepsActivations).feedForward == 1
        let first = Block.Activations(isShared ? sizes : layers[0], model, precision, groupSize: groupSize)
        blocks = layers.enumerated().map { number, layer in
            guard number > 0, keepsActivations else { return first.narrowed(toExperts: layer.experts) }
            return Block.Activations(layer, model, precision, groupSize: groupSize, sharing: first, recomputation)
        }
        finalNorm = Norm.Activations(tokens: tokens, dModel: d, precision)
        output = Tensor(rows: tokens, columns: d)

        let backwardTokens = keepsActivations ? tokens : 0
        dStream = Tensor(rows: backwardTokens, columns: d)
        dNorm = other?.dNorm ?? Tensor(rows: backwardTokens, columns: d)
        normSums =
            other?.normSums ?? Tensor(rows: keepsActivations ? tokenSumRows(tokens: tokens) : 0, columns: d)
        dStreamOperand =
            other?.dStreamOperand ?? Operand(precision, rows: precision == .float32 ? 0 : backwardTokens, columns: d)
        dAttended = other?.dAttended ?? Operand(precision, rows: backwardTokens, columns: d)
        dQKV = other?.dQKV ?? Operand(precision, rows: backwardTokens, columns: 3 * d)
        dRouter = other?.dRouter ?? Tensor(rows: backwardTokens, columns: sizes.experts)
        dGates = Vector(count: backwardTokens * model.choices)
        homeRows = Operand(precision, rows: sizes.homeSeats, columns: d)
        expertRows = Operand(precision, rows: sizes.seats, columns: d)
        dHidden =
            other?.dHidden ?? Operand(precision, rows: keepsActivations ? sizes.seats : 0, columns: model.expertHidden)

        let chunk = min(tokens, crossEntropyChunk(vocabulary: model.vocabularySize))
        logits = other?.logits ?? LogitScratch(chunk: chunk, vocabulary: model.vocabularySize, precision)
        losses = Vector(count: tokens)
        rotary =
            other?.rotary
            ?? RotaryTable(context: model.context, headDimension: model.headDimension, base: model.ropeBase)
        let shape = AttentionShape(heads: model.heads, headDimension: model.headDimension, context: model.context)
        attentionScratch = other?.attentionScratch ?? (0..<threads).map { _ in AttentionScratch(shape, precision) }
    }
}

extension LaneWorkspace {
    /// How the last lane was routed in a layer, until the workspace is used again.
    package func route(inLayer layer: Int) -> Route { blocks[layer].feedForward.route }
}
