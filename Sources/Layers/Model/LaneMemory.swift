import Kernels

/// Bytes of a `LaneWorkspace`, without making one; a test holds the two together.
package struct LaneMemory: Sendable {
    /// What the forward pass keeps for the backward pass.
    package let activations: Int
    /// Rows on their way to experts and back.
    package let exchange: Int
    package let scratch: Int

    package init(
        _ model: ModelSettings, _ routing: RoutingSettings, laneTokens tokens: Int, groupSize: Int,
        keepsActivations: Bool, threads: Int
    ) {
        let d = model.dModel, hidden = model.expertHidden, experts = model.expertCount, k = model.choices
        let sizes = LaneSizes(model, routing, laneTokens: tokens, groupSize: groupSize)
        let norm = tokens * (d + 2)
        let attention = norm + tokens * (4 * d + model.heads)
        let route = tokens * (experts + 1 + 4 * k) + experts
        let counts = 2 * (experts / groupSize) * groupSize + 2 * groupSize
        let feedForward = norm + route + counts + sizes.seats * (d + 3 * hidden) + sizes.homeSeats * d
        let block = 2 * tokens * d + attention + feedForward
        activations = 4 * ((keepsActivations ? model.layers : 1) * block + norm + tokens * d)
        exchange = 4 * (sizes.homeSeats + sizes.seats) * d
        let backward = keepsActivations ? tokens * (5 * d + experts + k) + sizes.seats * hidden : 0
        let chunk = min(tokens, crossEntropyChunk(vocabulary: model.vocabularySize))
        let rotary = model.context * (model.headDimension / 2) * 2
        let scores = threads * AttentionShape.scratchElements(context: model.context)
        scratch = 4 * (backward + chunk * model.vocabularySize + tokens + rotary + scores)
    }
}
