package import Configuration
import Kernels
package import Tensors

/// Bytes of a `MicroBatchWorkspace`, without making one; a test holds the two together.
package struct WorkspaceMemory: Sendable {
    /// What the forward pass keeps for the backward pass.
    package let activations: Int
    /// Rows on their way to experts and back.
    package let exchange: Int
    package let scratch: Int
    /// Scratch that micro-batches in flight together need once.
    package let sharedScratch: Int

    package init(
        _ model: ModelShape, _ routing: RoutingConfiguration, _ precision: Precision = .float32,
        recomputation: Recomputation = .none, microBatchTokens tokens: Int, expertParallelSize: Int,
        keepsActivations: Bool,
        threads: Int
    ) {
        let d = model.dModel, attention = model.attention, copies = precision == .float32 ? 0 : 1
        let layers = LayerSizes.byLayer(
            model, routing, microBatchTokens: tokens, expertParallelSize: expertParallelSize)
        let sizes = LayerSizes(forAllOf: layers)
        // Counts of numbers in float32 (or 32-bit integers), and of operands in the precision of products.
        let norm = 2 * tokens, ofAttention = Self.attention(attention, dModel: d)
        let kept = recomputation.kept(layers: model.layers, forBackward: keepsActivations)
        var numbers = kept.inputs * tokens * d + kept.attention * (norm + tokens * ofAttention.numbers)
        var operands = kept.attention * tokens * ofAttention.operands
        for layer in kept.feedForward == 1 ? [sizes] : layers {
            let ofFeedForward = Self.feedForward(layer, model, copies: copies)
            numbers += 2 * tokens * d + norm + ofFeedForward.numbers
            operands += ofFeedForward.operands
        }
        activations = 4 * (numbers + norm + tokens * d) + precision.size * (operands + tokens * d)
        exchange = precision.size * (sizes.sendRows + sizes.receiveRows) * d
        let backwardTokens = keepsActivations ? tokens : 0
        let gated = model.shared.isGated ? backwardTokens : 0
        let sharedNumbers =
            backwardTokens * (d + sizes.experts) + gated
            + (keepsActivations ? partialSumRows(tokens: tokens) * SharedScratch.tokenSumWidth(model) : 0)
        let sharedOperands =
            backwardTokens * (copies * d + attention.queryWidth + attention.projectedWidth) + gated * d
            + (keepsActivations ? SharedScratch.hiddenCount(model, sizes) : 0)
        let chunkRows = min(tokens, crossEntropyChunk(vocabulary: model.vocabularySize))
        let chunk = chunkRows * model.vocabularySize
        let rotary = model.context * model.rotary.pairs(headSize: attention.headSize) * 2
        let shape = AttentionShape(attention, context: model.context)
        scratch = 4 * (backwardTokens * (d + model.expertsPerToken) + tokens)
        sharedScratch =
            4 * (sharedNumbers + chunk + chunkRows + rotary) + precision.size * (sharedOperands + copies * chunk)
            + threads * AttentionScratch.bytes(shape, precision)
    }

    /// What a layer's routes, experts and unrouted feed-forward keep of a micro-batch. The latter: the gate; the input where it is
    /// rounded, the hidden layer, and what the gate multiplies.
    /// - Parameter copies: of a rounded input: 1 or 0
    private static func feedForward(
        _ layer: LayerSizes, _ model: ModelShape, copies: Int
    ) -> (numbers: Int, operands: Int) {
        let d = model.dModel, tokens = layer.tokens
        let route = tokens * (layer.experts + 1 + 4 * model.expertsPerToken) + layer.experts
        let counts = 2 * layer.experts + 2 * layer.expertParallelSize
        let ofExperts = layer.receiveRows * (d + 3 * model.expertHiddenSize) + layer.sendRows * d
        guard layer.unroutedHidden > 0 else { return (route + counts, ofExperts) }
        let gates = model.shared.isGated ? 1 : 0
        return (
            route + counts + tokens * gates, ofExperts + tokens * ((copies + gates) * d + 3 * layer.unroutedHidden)
        )
    }

    /// What attention keeps of a token besides its norm: logsumexps and norms' reciprocals; the norm's output, queries, keys and
    /// values, what they return, and queries and keys as they were before their norms.
    private static func attention(
        _ settings: AttentionConfiguration, dModel: Int
    ) -> (numbers: Int, operands: Int) {
        let isNormed = settings.queryKeyNorm != .none
        return (
            settings.heads + (isNormed ? settings.normedGroups : 0),
            dModel + settings.projectedWidth + settings.queryWidth
                + (isNormed ? settings.queryWidth + settings.keyValueWidth : 0)
        )
    }
}
