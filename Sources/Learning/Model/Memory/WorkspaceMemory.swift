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
        let d = model.dModel, attention = model.attention, hidden = model.expertHiddenSize, k = model.expertsPerToken
        let layers = LayerSizes.byLayer(
            model, routing, microBatchTokens: tokens, expertParallelSize: expertParallelSize)
        let sizes = LayerSizes(forAllOf: layers)
        // Counts of numbers in float32 (or 32-bit integers), and of operands in the precision of products.
        let norm = 2 * tokens, ofAttention = Self.attention(attention, dModel: d)
        let kept = recomputation.kept(layers: model.layers, forBackward: keepsActivations)
        var numbers = kept.inputs * tokens * d + kept.attention * (norm + tokens * ofAttention.numbers)
        var operands = kept.attention * tokens * ofAttention.operands
        for layer in kept.feedForward == 1 ? [sizes] : layers {
            let route = tokens * (layer.experts + 1 + 4 * k) + layer.experts
            let counts = 2 * layer.experts + 2 * expertParallelSize
            numbers += 2 * tokens * d + norm + route + counts
            operands += layer.receiveRows * (d + 3 * hidden) + layer.sendRows * d
        }
        activations = 4 * (numbers + norm + tokens * d) + precision.size * (operands + tokens * d)
        exchange = precision.size * (sizes.sendRows + sizes.receiveRows) * d
        let copies = precision == .float32 ? 0 : 1
        let backwardTokens = keepsActivations ? tokens : 0
        let shared =
            backwardTokens * (d + sizes.experts)
            + (keepsActivations ? partialSumRows(tokens: tokens) * SharedScratch.tokenSumWidth(model) : 0)
        let sharedOperands =
            backwardTokens * (copies * d + attention.queryWidth + attention.projectedWidth)
            + (keepsActivations ? sizes.receiveRows * hidden : 0)
        let chunkRows = min(tokens, crossEntropyChunk(vocabulary: model.vocabularySize))
        let chunk = chunkRows * model.vocabularySize
        let rotary = model.context * model.rotary.pairs(headSize: attention.headSize) * 2
        let shape = AttentionShape(attention, context: model.context)
        scratch = 4 * (backwardTokens * (d + k) + tokens)
        sharedScratch =
            4 * (shared + chunk + chunkRows + rotary) + precision.size * (sharedOperands + copies * chunk)
            + threads * AttentionScratch.bytes(shape, precision)
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
