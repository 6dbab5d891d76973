package import Configuration
package import Tensors

/// All memory that one micro-batch needs on one rank, allocated once: what the forward pass keeps for the backward pass, and
/// scratch. A steady step allocates no tensors.
package final class MicroBatchWorkspace: Sendable {
    /// Activations of every block; all the same memory if nothing is kept for a backward pass.
    let blocks: [Block.Activations]
    let recomputation: Recomputation
    let finalNorm: Norm.Activations
    /// `[tokens, dModel]`: what leaves the last block.
    let output: Tensor

    /// `[tokens, dModel]`: the residual stream's gradient.
    let dResidual: Tensor
    /// `[tokens · k]`
    let dGates: Vector<Float>
    /// `[home slots, dModel]`: rows of this micro-batch that leave for experts and come back.
    let sendRows: Operand
    /// `[slots, dModel]`: answers of this rank's experts, or their gradients.
    let expertRows: Operand
    /// `[tokens]`
    package let losses: Vector<Float>
    let scratch: SharedScratch

    /// - Parameters:
    ///   - precision: of matrix products
    ///   - recomputation: what backward passes compute again
    ///   - microBatchTokens: the longest micro-batch
    ///   - expertParallelSize: the number of ranks that share out one set of experts
    ///   - keepsActivations: whether there will be backward passes
    ///   - other: a workspace alike whose micro-batch never computes at the same time, for scratch that no exchange crosses
    package init(
        _ model: ModelShape, _ routing: RoutingConfiguration, _ precision: Precision = .float32,
        recomputation: Recomputation = .none, microBatchTokens: Int, expertParallelSize: Int, keepsActivations: Bool,
        threads: Int,
        sharing other: MicroBatchWorkspace? = nil
    ) {
        let tokens = microBatchTokens, d = model.dModel
        let layers = LayerSizes.byLayer(
            model, routing, microBatchTokens: microBatchTokens, expertParallelSize: expertParallelSize)
        let sizes = LayerSizes(forAllOf: layers)
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
        dResidual = Tensor(rows: backwardTokens, columns: d)
        dGates = Vector(count: backwardTokens * model.expertsPerToken)
        sendRows = Operand(precision, rows: sizes.sendRows, columns: d)
        expertRows = Operand(precision, rows: sizes.receiveRows, columns: d)
        losses = Vector(count: tokens)
        scratch =
            other?.scratch
            ?? SharedScratch(model, precision, sizes, keepsActivations: keepsActivations, threads: threads)
    }
}

extension MicroBatchWorkspace {
    /// How the last micro-batch was routed in a layer, until the workspace is used again.
    package func route(inLayer layer: Int) -> Routing { blocks[layer].feedForward.route }

    /// The sizes of a layer's buffers, and its capacity.
    package func sizes(inLayer layer: Int) -> LayerSizes { blocks[layer].feedForward.sizes }
}
