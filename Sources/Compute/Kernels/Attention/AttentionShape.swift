import Tensors

/// Shapes of causal attention over sequences of one length.
package struct AttentionShape: Sendable {
    package let heads: Int
    package let headSize: Int
    /// Tokens of one sequence.
    package let context: Int

    /// Queries and keys that one tile of scores holds at most: two tiles and their rounded copies stay in a core's second
    /// cache. Keys after the last query of a tile are never touched.
    static let queryTile = 128
    static let keyTile = 512

    package init(heads: Int, headSize: Int, context: Int) {
        self.heads = heads
        self.headSize = headSize
        self.context = context
    }

    var dModel: Int { heads * headSize }
    var largestKeyTile: Int { min(context, Self.keyTile) }
    var scale: Float { 1 / Float(headSize).squareRoot() }

    /// The query tiles of one sequence, as ranges of positions.
    var tiles: [Range<Int>] {
        stride(from: 0, to: context, by: Self.queryTile).map { $0..<min($0 + Self.queryTile, context) }
    }

    /// The keys that queries see, as ranges of positions.
    func keyTiles(of queries: Range<Int>) -> [Range<Int>] {
        stride(from: 0, to: queries.upperBound, by: Self.keyTile).map {
            $0..<min($0 + Self.keyTile, queries.upperBound)
        }
    }
}

/// Where one head of one sequence lies in a micro-batch's matrices.
struct AttentionHead {
    let number: Int
    let tokens: Range<Int>
    private let columns: Range<Int>
    private let dModel: Int

    init(sequence: Int, head: Int, _ shape: AttentionShape) {
        number = head
        tokens = sequence * shape.context..<(sequence + 1) * shape.context
        columns = head * shape.headSize..<(head + 1) * shape.headSize
        dModel = shape.dModel
    }

    /// `[context, dHead]` of a `[tokens, dModel]`.
    func window(_ x: Operand) -> Operand { x.rows(tokens).columns(columns) }

    /// `[1, context]` of a `[heads, tokens]`.
    func row(of sums: Tensor) -> Tensor { sums.rows(number..<number + 1).columns(tokens) }

    /// The head's queries, keys and values, `[context, dHead]` each.
    func split(_ qkv: Operand) -> (Operand, Operand, Operand) {
        let rows = qkv.rows(tokens)
        return (
            rows.columns(0..<dModel).columns(columns), rows.columns(dModel..<2 * dModel).columns(columns),
            rows.columns(2 * dModel..<3 * dModel).columns(columns)
        )
    }
}
