package import Configuration
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

    /// `[tokens, dModel]`: the residual stream's gradient.
    let dStream: Tensor
    /// `[tokens · k]`
    let dGates: Vector<Float>
    /// `[home seats, dModel]`: rows of this lane that leave for experts and come back.
    let homeRows: Operand
    /// `[seats, dModel]`: answers of this rank's experts, or their gradients.
    let expertRows: Operand
    /// `[tokens]`
    package let losses: Vector<Float>
    let scratch: LaneScratch

    /// - Parameters:
    ///   - precision: of matrix products
    ///   - recomputation: what backward passes compute again
    ///   - laneTokens: the longest lane
    ///   - expertParallelSize: the number of ranks that share out one set of experts
    ///   - keepsActivations: whether there will be backward passes
    ///   - other: a workspace alike whose lane never computes at the same time, for scratch that no exchange crosses
    package init(
        _ model: ModelSettings, _ routing: RoutingSettings, _ precision: Precision = .float32,
        recomputation: Recomputation = .none, laneTokens: Int, expertParallelSize: Int, keepsActivations: Bool,
        threads: Int,
        sharing other: LaneWorkspace? = nil
    ) {
        let tokens = laneTokens, d = model.dModel
        let layers = LaneSizes.byLayer(model, routing, laneTokens: laneTokens, expertParallelSize: expertParallelSize)
        let sizes = LaneSizes(forAllOf: layers)
        self.recomputation = recomputation
        // What serves several layers has room for each.
        let isShared = recomputation.kept(layers: model.layers, forBackward: keepsActivations).feedForward == 1
        let first = Block.Activations(isShared ? sizes : layers[0], model, precision)
        blocks = layers.enumerated().map { number, layer in
            guard number > 0, keepsActivations else { return first.narrowed(to: layer) }
            return Block.Activations(layer, model, precision, sharing: first, recomputation)
        }
        finalNorm = Norm.Activations(tokens: tokens, dModel: d, precision)
        output = Tensor(rows: tokens, columns: d)

        let backwardTokens = keepsActivations ? tokens : 0
        dStream = Tensor(rows: backwardTokens, columns: d)
        dGates = Vector(count: backwardTokens * model.choices)
        homeRows = Operand(precision, rows: sizes.homeSeats, columns: d)
        expertRows = Operand(precision, rows: sizes.seats, columns: d)
        losses = Vector(count: tokens)
        scratch =
            other?.scratch
            ?? LaneScratch(model, precision, sizes, keepsActivations: keepsActivations, threads: threads)
    }
}

extension LaneWorkspace {
    /// How the last lane was routed in a layer, until the workspace is used again.
    package func route(inLayer layer: Int) -> Route { blocks[layer].feedForward.route }

    /// The sizes of a layer's buffers, and its capacity.
    package func sizes(inLayer layer: Int) -> LaneSizes { blocks[layer].feedForward.sizes }
}
