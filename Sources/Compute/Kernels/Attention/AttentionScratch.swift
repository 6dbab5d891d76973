import KernelLoops
package import Tensors

/// What one worker needs for the attention of one head.
package struct AttentionScratch: Sendable {
    /// `[context, dHead]` each: the head's queries, keys and values, and its answers' gradients, side by side in memory.
    let q: Operand
    let k: Operand
    let v: Operand
    let dO: Operand
    /// `[context, dHead]` each: sums over the query tiles.
    let dKeys: Tensor
    let dValues: Tensor
    /// `[queryTile, dHead]`: answers of one tile of queries, or the queries' gradients, summed over keys.
    let accumulator: Tensor
    let sums: SoftmaxSums
    /// `[queryTile]`
    let deltas: Vector<Float>
    /// `[2·queryTile, keyTile]`: scores, and gradients of probabilities.
    private let scores: Tensor
    /// The same in the precision of products: probabilities, and gradients of scores. In float32 the same memory.
    private let operands: Operand

    package init(_ shape: AttentionShape, _ precision: Precision) {
        let (rows, columns, d) = (2 * AttentionShape.queryTile, shape.largestKeyTile, shape.headSize)
        (q, k) = (
            Operand(precision, rows: shape.context, columns: d), Operand(precision, rows: shape.context, columns: d)
        )
        (v, dO) = (
            Operand(precision, rows: shape.context, columns: d), Operand(precision, rows: shape.context, columns: d)
        )
        dKeys = Tensor(rows: shape.context, columns: d)
        dValues = Tensor(rows: shape.context, columns: d)
        accumulator = Tensor(rows: AttentionShape.queryTile, columns: d)
        sums = SoftmaxSums(queries: AttentionShape.queryTile)
        deltas = Vector(count: AttentionShape.queryTile)
        scores = Tensor(rows: rows, columns: columns)
        operands = precision == .float32 ? .float32(scores) : Operand(precision, rows: rows, columns: columns)
    }

    /// Bytes of one worker's scratch.
    package static func bytes(_ shape: AttentionShape, _ precision: Precision) -> Int {
        let perScore = precision == .float32 ? 4 : 4 + precision.size
        let tiles = 2 * AttentionShape.queryTile * shape.largestKeyTile * perScore
        let heads = shape.context * shape.headSize * (4 * precision.size + 2 * 4)
        return tiles + heads + AttentionShape.queryTile * (shape.headSize + 4) * 4
    }

    func clearSumsOverQueries() {
        dKeys.vector.fill(with: 0)
        dValues.vector.fill(with: 0)
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
