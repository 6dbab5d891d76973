import Tensors

/// Shapes of causal attention over sequences of one length.
package struct AttentionShape: Sendable {
    /// Heads of queries.
    package let heads: Int
    /// Heads of keys and values, a divisor of `heads`.
    package let keyValueHeads: Int
    package let headSize: Int
    /// Tokens of one sequence.
    package let context: Int

    /// Queries and keys that one tile of scores holds at most: two tiles and their rounded copies stay in a core's second
    /// cache. Keys after the last query of a tile are never touched.
    static let queryTile = 128
    static let keyTile = 512

    /// - Parameters:
    ///   - heads: of queries
    ///   - keyValueHeads: nil: as many as `heads`
    ///   - headSize: columns of a head
    ///   - context: tokens of a sequence
    package init(heads: Int, keyValueHeads: Int? = nil, headSize: Int, context: Int) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads ?? heads
        self.headSize = headSize
        self.context = context
    }

    /// Columns of the queries.
    var queryWidth: Int { heads * headSize }
    /// Columns of the keys, and of the values.
    var keyValueWidth: Int { keyValueHeads * headSize }
    /// Heads of queries that share a head of keys and values.
    var groupSize: Int { heads / keyValueHeads }
    var largestKeyTile: Int { min(context, Self.keyTile) }
    var scale: Float { 1 / Float(headSize).squareRoot() }

    /// The query tiles of one sequence, as ranges of positions.
    var tiles: [Range<Int>] {
        stride(from: 0, to: context, by: Self.queryTile).map { $0..<min($0 + Self.queryTile, context) }
    }

    /// The keys that queries see, as ranges of positions. They begin where a tile of queries does, so that tiles are of few shapes,
    /// each of which has a kernel of its own.
    /// - Parameter starts: `[context]`, ascending: the first key that each query of the sequence sees; nil: 0
    func keyTiles(of queries: Range<Int>, starts: Vector<Int32>?) -> [Range<Int>] {
        let first = starts.map { Int($0[queries.lowerBound]) } ?? 0
        return stride(from: first / Self.queryTile * Self.queryTile, to: queries.upperBound, by: Self.keyTile).map {
            $0..<min($0 + Self.keyTile, queries.upperBound)
        }
    }
}

/// Where one head of queries of one sequence, and the keys and values that it reads, lie in a micro-batch's matrices.
struct AttentionHead {
    let number: Int
    let tokens: Range<Int>
    private let shape: AttentionShape

    init(sequence: Int, head: Int, _ shape: AttentionShape) {
        number = head
        tokens = sequence * shape.context..<(sequence + 1) * shape.context
        self.shape = shape
    }

    private func columns(_ head: Int) -> Range<Int> { head * shape.headSize..<(head + 1) * shape.headSize }
    private var queryColumns: Range<Int> { columns(number) }
    private var keyColumns: Range<Int> { columns(shape.heads + number / shape.groupSize) }
    private var valueColumns: Range<Int> { columns(shape.heads + shape.keyValueHeads + number / shape.groupSize) }

    /// `[context, dHead]` of a `[tokens, heads·dHead]`.
    func window(_ x: Operand) -> Operand { x.rows(tokens).columns(queryColumns) }

    /// `[1, context]` of a `[heads, tokens]`.
    func row(of sums: Tensor) -> Tensor { sums.rows(number..<number + 1).columns(tokens) }

    /// The head's queries, and the keys and values that it reads, `[context, dHead]` each.
    func split(_ qkv: Operand) -> (Operand, Operand, Operand) {
        let rows = qkv.rows(tokens)
        return (rows.columns(queryColumns), rows.columns(keyColumns), rows.columns(valueColumns))
    }
}
