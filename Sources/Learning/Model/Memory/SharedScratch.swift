import Configuration
import Kernels
import Tensors

/// Scratch that no exchange crosses: micro-batches in flight together use it in turns.
struct SharedScratch: Sendable {
    /// `[tokens, dModel]`: the gradient of a norm's output.
    let dNorm: Tensor
    /// `[partialSumRows(tokens), tokenSumWidth]`: parts of the sums over tokens that norms and biases get.
    let tokenSums: Tensor
    /// The residual stream's gradient as a factor of products; empty in float32, which needs no copy.
    let dStreamOperand: Operand
    /// `[tokens, heads·headSize]`
    let dAttended: Operand
    /// `[tokens, (heads + 2·keyValueHeads)·headSize]`
    let dQKV: Operand
    /// `[tokens, experts]` of the layer with most of them
    let dRouter: Tensor
    /// `[slots, hidden]` of an expert, or `[tokens, hidden]` of an unrouted feed-forward: the larger of both, which a feed-forward shapes.
    let dHidden: Operand
    /// `[tokens, dModel]` and `[tokens, 1]`: gradients of what the gate of shared experts multiplies, and of its logits.
    let dShared: Operand
    let dSharedGate: Tensor
    /// Of one chunk of tokens.
    let logits: LogitScratch
    let rotary: RotaryTable
    /// One for each thread.
    let attention: [AttentionScratch]

    /// - Parameter sizes: the most of every layer
    init(
        _ model: ModelShape, _ precision: Precision, _ sizes: LayerSizes, keepsActivations: Bool, threads: Int
    ) {
        let tokens = keepsActivations ? sizes.tokens : 0, d = model.dModel
        dNorm = Tensor(rows: tokens, columns: d)
        tokenSums = Tensor(
            rows: keepsActivations ? partialSumRows(tokens: tokens) : 0, columns: Self.tokenSumWidth(model))
        dStreamOperand = Operand(precision, rows: precision == .float32 ? 0 : tokens, columns: d)
        dAttended = Operand(precision, rows: tokens, columns: model.attention.queryWidth)
        dQKV = Operand(precision, rows: tokens, columns: model.attention.projectedWidth)
        dRouter = Tensor(rows: tokens, columns: sizes.experts)
        dHidden = Operand(precision, rows: 1, columns: keepsActivations ? Self.hiddenCount(model, sizes) : 0)
        let gated = model.shared.isGated ? tokens : 0
        dShared = Operand(precision, rows: gated, columns: d)
        dSharedGate = Tensor(rows: gated, columns: 1)
        let chunk = min(sizes.tokens, crossEntropyChunk(vocabulary: model.vocabularySize))
        logits = LogitScratch(chunk: chunk, vocabulary: model.vocabularySize, precision)
        rotary = RotaryTable(model.rotary, context: model.context, headSize: model.attention.headSize)
        let shape = AttentionShape(model.attention, context: model.context)
        attention = (0..<threads).map { _ in AttentionScratch(shape, precision) }
    }

    /// Numbers of the largest gradient of hidden units.
    static func hiddenCount(_ model: ModelShape, _ sizes: LayerSizes) -> Int {
        max(sizes.receiveRows * model.expertHiddenSize, sizes.tokens * sizes.unroutedHidden)
    }

    /// Columns of the widest row that is summed over tokens: of a block's norm, of the biases of queries, keys and values, or of
    /// their norms.
    static func tokenSumWidth(_ model: ModelShape) -> Int {
        let attention = model.attention
        return max(
            model.dModel, attention.bias == .none ? 0 : attention.projectedWidth,
            attention.queryKeyNorm == .none ? 0 : attention.normWidths.queries)
    }
}
