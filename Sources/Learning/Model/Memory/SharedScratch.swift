import Configuration
import Kernels
import Tensors

/// Scratch that no exchange crosses: micro-batches in flight together use it in turns.
struct SharedScratch: Sendable {
    /// `[tokens, dModel]`: the gradient of a norm's output.
    let dNorm: Tensor
    /// `[partialSumRows(tokens), dModel]`: parts of the sums that norms' weights get.
    let normSums: Tensor
    /// The residual stream's gradient as a factor of products; empty in float32, which needs no copy.
    let dStreamOperand: Operand
    /// `[tokens, dModel]`
    let dAttended: Operand
    /// `[tokens, 3·dModel]`
    let dQKV: Operand
    /// `[tokens, experts]` of the layer with most of them
    let dRouter: Tensor
    /// `[slots, hidden]`
    let dHidden: Operand
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
        normSums = Tensor(rows: keepsActivations ? partialSumRows(tokens: tokens) : 0, columns: d)
        dStreamOperand = Operand(precision, rows: precision == .float32 ? 0 : tokens, columns: d)
        dAttended = Operand(precision, rows: tokens, columns: d)
        dQKV = Operand(precision, rows: tokens, columns: 3 * d)
        dRouter = Tensor(rows: tokens, columns: sizes.experts)
        dHidden = Operand(precision, rows: keepsActivations ? sizes.receiveRows : 0, columns: model.expertHiddenSize)
        let chunk = min(sizes.tokens, crossEntropyChunk(vocabulary: model.vocabularySize))
        logits = LogitScratch(chunk: chunk, vocabulary: model.vocabularySize, precision)
        rotary = RotaryTable(context: model.context, headSize: model.headSize, base: model.ropeBase)
        let shape = AttentionShape(heads: model.heads, headSize: model.headSize, context: model.context)
        attention = (0..<threads).map { _ in AttentionScratch(shape, precision) }
    }
}
