import Kernels
package import Tensors

/// Bytes of a `LaneWorkspace`, without making one; a test holds the two together.
package struct LaneMemory: Sendable {
    /// What the forward pass keeps for the backward pass.
    package let activations: Int
    /// Rows on their way to experts and back.
    package let exchange: Int
    package let scratch: Int

    package init(
        _ model: ModelSettings, _ routing: RoutingSettings, _ precision: Precision = .float32,
        recomputation: Recomputation = .none, laneTokens tokens: Int, groupSize: Int, keepsActivations: Bool,
        threads: Int
    ) {
        let d = model.dModel, hidden = model.expertHidden, experts = model.expertCount, k = model.choices
        let sizes = LaneSizes(model, routing, laneTokens: tokens, groupSize: groupSize)
        // Counts of numbers in float32 (or 32-bit integers), and of operands in the precision of products.
        let norm = 2 * tokens
        let route = tokens * (experts + 1 + 4 * k) + experts
        let counts = 2 * (experts / groupSize) * groupSize + 2 * groupSize
        let kept = recomputation.kept(layers: model.layers, forBackward: keepsActivations)
        let numbers =
            kept.inputs * tokens * d + kept.attention * (norm + tokens * model.heads)
            + kept.feedForward * (2 * tokens * d + norm + route + counts)
        let operands =
            kept.attention * 5 * tokens * d
            + kept.feedForward * (sizes.seats * (d + 3 * hidden) + sizes.homeSeats * d)
        activations = 4 * (numbers + norm + tokens * d) + precision.size * (operands + tokens * d)
        exchange = precision.size * (sizes.homeSeats + sizes.seats) * d
        let copies = precision == .float32 ? 0 : 1
        let backward = keepsActivations ? tokens * (2 * d + experts + k) : 0
        let backwardOperands = keepsActivations ? tokens * (4 + copies) * d + sizes.seats * hidden : 0
        let chunkRows = min(tokens, crossEntropyChunk(vocabulary: model.vocabularySize))
        let chunk = chunkRows * model.vocabularySize
        let rotary = model.context * (model.headDimension / 2) * 2
        let shape = AttentionShape(heads: model.heads, headDimension: model.headDimension, context: model.context)
        scratch =
            4 * (backward + chunk + chunkRows + tokens + rotary) + precision.size * (backwardOperands + copies * chunk)
            + threads * AttentionScratch.bytes(shape, precision)
    }
}
