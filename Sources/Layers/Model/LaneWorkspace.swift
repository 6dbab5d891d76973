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
    /// `[tokens, experts]`
    let dRouter: Tensor
    /// `[tokens · k]`
    let dGates: Vector<Float>

    /// `[home seats, dModel]`: rows of this lane that leave for experts and come back.
    let homeRows: Operand
    /// `[seats, dModel]`: answers of this rank's experts, or their gradients.
    let expertRows: Operand
    /// `[seats, hidden]`
    let dHidden: Operand
    /// Seats of one expert for one lane that the buffers hold.
    let seatsPerExpert: Int

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
    package init(
        _ model: ModelSettings, _ routing: RoutingSettings, _ precision: Precision = .float32,
        recomputation: Recomputation = .none, laneTokens: Int, groupSize: Int, keepsActivations: Bool, threads: Int
    ) {
        let tokens = laneTokens, d = model.dModel
        let sizes = LaneSizes(model, routing, laneTokens: laneTokens, groupSize: groupSize)
        seatsPerExpert = sizes.seatsPerExpert
        self.recomputation = recomputation
        let first = Block.Activations(sizes, model, precision, groupSize: groupSize)
        blocks = (0..<model.layers).map {
            guard $0 > 0, keepsActivations else { return first }
            return Block.Activations(sizes, model, precision, groupSize: groupSize, sharing: first, recomputation)
        }
        finalNorm = Norm.Activations(tokens: tokens, dModel: d, precision)
        output = Tensor(rows: tokens, columns: d)

        let backwardTokens = keepsActivations ? tokens : 0
        dStream = Tensor(rows: backwardTokens, columns: d)
        dNorm = Tensor(rows: backwardTokens, columns: d)
        normSums = Tensor(rows: keepsActivations ? tokenSumRows(tokens: tokens) : 0, columns: d)
        dStreamOperand = Operand(precision, rows: precision == .float32 ? 0 : backwardTokens, columns: d)
        dAttended = Operand(precision, rows: backwardTokens, columns: d)
        dQKV = Operand(precision, rows: backwardTokens, columns: 3 * d)
        dRouter = Tensor(rows: backwardTokens, columns: model.expertCount)
        dGates = Vector(count: backwardTokens * model.choices)

        homeRows = Operand(precision, rows: sizes.homeSeats, columns: d)
        expertRows = Operand(precision, rows: sizes.seats, columns: d)
        dHidden = Operand(precision, rows: keepsActivations ? sizes.seats : 0, columns: model.expertHidden)

        let chunk = min(tokens, crossEntropyChunk(vocabulary: model.vocabularySize))
        logits = LogitScratch(chunk: chunk, vocabulary: model.vocabularySize, precision)
        losses = Vector(count: tokens)
        rotary = RotaryTable(context: model.context, headDimension: model.headDimension, base: model.ropeBase)
        let shape = AttentionShape(heads: model.heads, headDimension: model.headDimension, context: model.context)
        attentionScratch = (0..<threads).map { _ in AttentionScratch(shape, precision) }
    }
}

extension LaneWorkspace {
    /// How the last lane was routed in a layer, until the workspace is used again.
    package func route(inLayer layer: Int) -> Route { blocks[layer].feedForward.route }
}

/// How many rows the buffers of a lane hold.
package struct LaneSizes: Sendable {
    package let tokens: Int
    /// Capacity of one expert for one lane.
    package let seatsPerExpert: Int
    /// Rows that leave for experts: at most all choices, at most all seats.
    package let homeSeats: Int
    /// Rows that this rank's experts can get from all lanes of the group in flight.
    package let seats: Int

    package init(_ model: ModelSettings, _ routing: RoutingSettings, laneTokens: Int, groupSize: Int) {
        tokens = laneTokens
        seatsPerExpert = routing.capacityFactor.capacity(
            tokens: laneTokens, choices: model.choices, experts: model.expertCount)
        homeSeats = min(laneTokens * model.choices, seatsPerExpert * model.expertCount)
        seats = min(groupSize * homeSeats, seatsPerExpert * model.expertCount)
    }
}
