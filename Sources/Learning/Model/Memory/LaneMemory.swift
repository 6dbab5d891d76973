package import Configuration
import Kernels
package import Tensors

/// Bytes of a `LaneWorkspace`, without making one; a test holds the two together.
package struct LaneMemory: Sendable {
    /// What the forward pass keeps for the backward pass.
    package let activations: Int
    /// Rows on their way to experts and back.
    package let exchange: Int
    package let scratch: Int
    /// Scratch that lanes in flight together need once.
    package let sharedScratch: Int

    package init(
        _ model: ModelSettings, _ routing: RoutingSettings, _ precision: Precision = .float32,
        recomputation: Recomputation = .none, laneTokens tokens: Int, expertParallelSize: Int, keepsActivations: Bool,
        threads: Int
    ) {
        let d = model.dModel, hidden = model.expertHidden, k = model.choices
        let layers = LaneSizes.byLayer(model, routing, laneTokens: tokens, expertParallelSize: expertParallelSize)
        let sizes = LaneSizes(forAllOf: layers)
        // Counts of numbers in float32 (or 32-bit integers), and of operands in the precision of products.
        let norm = 2 * tokens
        let kept = recomputation.kept(layers: model.layers, forBackward: keepsActivations)
        var numbers = kept.inputs * tokens * d + kept.attention * (norm + tokens * model.heads)
        var operands = kept.attention * 5 * tokens * d
        for layer in kept.feedForward == 1 ? [sizes] : layers {
            let route = tokens * (layer.experts + 1 + 4 * k) + layer.experts
            let counts = 2 * layer.experts + 2 * expertParallelSize
            numbers += 2 * tokens * d + norm + route + counts
            operands += layer.seats * (d + 3 * hidden) + layer.homeSeats * d
        }
        activations = 4 * (numbers + norm + tokens * d) + precision.size * (operands + tokens * d)
        exchange = precision.size * (sizes.homeSeats + sizes.seats) * d
        let copies = precision == .float32 ? 0 : 1
        let backwardTokens = keepsActivations ? tokens : 0
        let shared =
            backwardTokens * (d + sizes.experts) + (keepsActivations ? tokenSumRows(tokens: tokens) * d : 0)
        let sharedOperands = backwardTokens * (4 + copies) * d + (keepsActivations ? sizes.seats * hidden : 0)
        let chunkRows = min(tokens, crossEntropyChunk(vocabulary: model.vocabularySize))
        let chunk = chunkRows * model.vocabularySize
        let rotary = model.context * (model.headDimension / 2) * 2
        let shape = AttentionShape(heads: model.heads, headDimension: model.headDimension, context: model.context)
        scratch = 4 * (backwardTokens * (d + k) + tokens)
        sharedScratch =
            4 * (shared + chunk + chunkRows + rotary) + precision.size * (sharedOperands + copies * chunk)
            + threads * AttentionScratch.bytes(shape, precision)
    }
}
