package import Tensors

/// Shapes of causal attention over sequences of one length.
package struct AttentionShape: Sendable {
    package let heads: Int
    package let headDimension: Int
    /// Tokens of one sequence.
    package let context: Int

    /// Queries that one tile of scores holds: keys after the tile's last query are never touched.
    static let queryTile = 128

    package init(heads: Int, headDimension: Int, context: Int) {
        self.heads = heads
        self.headDimension = headDimension
        self.context = context
    }

    var dModel: Int { heads * headDimension }
    var scale: Float { 1 / Float(headDimension).squareRoot() }

    /// The query tiles of one sequence, as ranges of positions.
    var tiles: [Range<Int>] {
        stride(from: 0, to: context, by: Self.queryTile).map { $0..<min($0 + Self.queryTile, context) }
    }
}

/// What one worker needs for the attention of one head.
package struct AttentionScratch: Sendable {
    /// `[2·queryTile, context]`: scores, and gradients of probabilities.
    private let scores: Tensor
    /// The same in the precision of products: probabilities, and gradients of scores. In float32 the same memory.
    private let operands: Operand
    /// `[queryTile, dHead]`: answers before they are divided by the sums of their weights, `[queryTile]`.
    let answers: Tensor
    let totals: Vector<Float>
    /// `[context, dHead]` each: sums over the query tiles.
    let dKeys: Tensor
    let dValues: Tensor

    package init(_ shape: AttentionShape, _ precision: Precision) {
        let rows = 2 * AttentionShape.queryTile
        scores = Tensor(rows: rows, columns: shape.context)
        operands =
            precision == .float32 ? .float32(scores) : Operand(precision, rows: rows, columns: shape.context)
        answers = Tensor(rows: AttentionShape.queryTile, columns: shape.headDimension)
        totals = Vector(count: AttentionShape.queryTile)
        dKeys = Tensor(rows: shape.context, columns: shape.headDimension)
        dValues = Tensor(rows: shape.context, columns: shape.headDimension)
    }

    /// Bytes of one worker's scratch.
    package static func bytes(_ shape: AttentionShape, _ precision: Precision) -> Int {
        let rows = 2 * AttentionShape.queryTile
        let perScore = precision == .float32 ? 4 : 4 + precision.size
        let answers = AttentionShape.queryTile * (shape.headDimension + 1)
        return rows * shape.context * perScore + (2 * shape.context * shape.headDimension + answers) * 4
    }

    func first(rows: Int, columns: Int) -> (Tensor, Operand) { half(0, rows, columns) }
    func second(rows: Int, columns: Int) -> (Tensor, Operand) { half(AttentionShape.queryTile, rows, columns) }

    private func half(_ start: Int, _ rows: Int, _ columns: Int) -> (Tensor, Operand) {
        let range = start..<start + AttentionShape.queryTile
        return (
            scores.rows(range).reshaped(rows: rows, columns: columns),
            operands.rows(range).reshaped(rows: rows, columns: columns)
        )
    }
}

/// Where one head of one sequence lies in a lane's matrices.
struct AttentionHead {
    let number: Int
    let tokens: Range<Int>
    private let columns: Range<Int>
    private let dModel: Int

    init(sequence: Int, head: Int, _ shape: AttentionShape) {
        number = head
        tokens = sequence * shape.context..<(sequence + 1) * shape.context
        columns = head * shape.headDimension..<(head + 1) * shape.headDimension
        dModel = shape.dModel
    }

    /// `[context, dHead]` of a `[tokens, dModel]`.
    func window(_ x: Operand) -> Operand { x.rows(tokens).columns(columns) }

    /// The head's queries, keys and values, `[context, dHead]` each.
    func split(_ qkv: Operand) -> (Operand, Operand, Operand) {
        let rows = qkv.rows(tokens)
        return (
            rows.columns(0..<dModel).columns(columns), rows.columns(dModel..<2 * dModel).columns(columns),
            rows.columns(2 * dModel..<3 * dModel).columns(columns)
        )
    }
}
