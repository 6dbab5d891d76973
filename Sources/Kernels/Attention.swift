import GEMM
package import Tensors
import Tracing
package import Workers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

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

    /// Floats of one worker's scratch.
    package static func scratchElements(context: Int) -> Int { 2 * queryTile * context }

    /// `[2·queryTile, context]` floats for each worker.
    package func scratch(workers: Int) -> [Tensor] {
        (0..<workers).map { _ in Tensor(rows: 2 * Self.queryTile, columns: context) }
    }

    /// The query tiles of one sequence, as ranges of positions.
    var tiles: StrideTo<Int> { Swift.stride(from: 0, to: context, by: Self.queryTile) }
}

/// `o = softmax(q·kᵀ/√dHead + causal mask)·v` per sequence and head.
///
/// Scores exist for one tile of queries at a time (Dao et al., "FlashAttention", arXiv:2205.14135: what the backward
/// pass needs is only each row's logsumexp).
/// - Parameters:
///   - qkv: `[tokens, 3·dModel]`, queries | keys | values, heads side by side, tokens sequence after sequence
///   - o: `[tokens, dModel]`
///   - logSumExp: `[heads, tokens]`
///   - scratch: one tensor per worker, from `AttentionShape.scratch`
package func attention(
    _ qkv: Tensor, shape: AttentionShape, into o: Tensor, logSumExp: Tensor, scratch: [Tensor], on workers: Workers
) {
    workers.tracer?.begin(.attention)
    defer { workers.tracer?.end() }
    let sequences = qkv.rows / shape.context
    workers.run(sequences * shape.heads) { worker, task in
        let head = HeadWindow(sequence: task / shape.heads, head: task % shape.heads, shape)
        let (q, k, v) = head.split(qkv)
        let out = head.window(o)
        for start in shape.tiles {
            let end = min(start + AttentionShape.queryTile, shape.context)
            let scores = scratch[worker].reshaped(rows: end - start, columns: end)
            GEMM.multiply(q.rows(start..<end).factor, k.rows(0..<end).transposed, into: scores, scale: shape.scale)
            for row in 0..<end - start {
                logSumExp[head.head, head.firstToken + start + row] = causalSoftmax(
                    scores, row: row, seen: start + row + 1)
            }
            GEMM.multiply(scores.factor, v.rows(0..<end).factor, into: out.rows(start..<end))
        }
    }
}

/// Softmax over the first `seen` scores of a row, zeros after; returns the logsumexp.
@inline(__always)
private func causalSoftmax(_ scores: Tensor, row: Int, seen: Int) -> Float {
    let top = maximum(scores.columns(0..<seen).row(row))
    var values = scores.mutableRow(row)
    for i in 0..<seen { values[i] = exponential(values[i] - top) }
    for i in seen..<scores.columns { values[i] = 0 }
    let total = sum(scores.columns(0..<seen).row(row))
    let reciprocal = 1 / total
    for i in 0..<seen { values[i] *= reciprocal }
    return top + log(total)
}

/// Backward of `attention`: with `p = exp(q·kᵀ/√dHead − logSumExp)` and `δ_t = do_t·o_t`,
/// `dv = pᵀ·do`, `ds = p·(do·vᵀ − δ)/√dHead`, `dq = ds·k`, `dk = dsᵀ·q`. One thread per sequence and head.
/// - Parameters:
///   - dO, o: `[tokens, dModel]`
///   - dQKV: `[tokens, 3·dModel]`, overwritten
package func attentionBackward(
    _ dO: Tensor, qkv: Tensor, o: Tensor, logSumExp: Tensor, shape: AttentionShape, into dQKV: Tensor,
    scratch: [Tensor], on workers: Workers
) {
    workers.tracer?.begin(.attentionBackward)
    defer { workers.tracer?.end() }
    let sequences = qkv.rows / shape.context
    workers.run(sequences * shape.heads) { worker, task in
        let head = HeadWindow(sequence: task / shape.heads, head: task % shape.heads, shape)
        let (q, k, v) = head.split(qkv)
        let (dq, dk, dv) = head.split(dQKV)
        let out = head.window(o), dOut = head.window(dO)
        // The last tile sees every key, so it writes dk and dv whole and the others add.
        for start in shape.tiles.reversed() {
            let end = min(start + AttentionShape.queryTile, shape.context)
            let p = scratch[worker].reshaped(rows: end - start, columns: end)
            let ds = scratch[worker].rows(AttentionShape.queryTile..<2 * AttentionShape.queryTile)
                .reshaped(rows: end - start, columns: end)
            let qTile = q.rows(start..<end), dOTile = dOut.rows(start..<end)
            GEMM.multiply(qTile.factor, k.rows(0..<end).transposed, into: p, scale: shape.scale)
            GEMM.multiply(dOTile.factor, v.rows(0..<end).transposed, into: ds)
            for row in 0..<end - start {
                let logSum = logSumExp[head.head, head.firstToken + start + row]
                let delta = dot(dOTile.row(row), out.row(start + row))
                scoresBackward(
                    p, ds, row: row, seen: start + row + 1, logSumExp: logSum, delta: delta, scale: shape.scale)
            }
            let adding = end < shape.context
            GEMM.multiply(p.transposed, dOTile.factor, into: dv.rows(0..<end), adding: adding)
            GEMM.multiply(ds.factor, k.rows(0..<end).factor, into: dq.rows(start..<end))
            GEMM.multiply(ds.transposed, qTile.factor, into: dk.rows(0..<end), adding: adding)
        }
    }
}

/// One row of scores → probabilities, and of `do·vᵀ` → `ds`.
@inline(__always)
private func scoresBackward(
    _ p: Tensor, _ ds: Tensor, row: Int, seen: Int, logSumExp: Float, delta: Float, scale: Float
) {
    var probability = p.mutableRow(row), gradient = ds.mutableRow(row)
    for i in 0..<seen {
        let value = exponential(probability[i] - logSumExp)
        probability[i] = value
        gradient[i] = value * (gradient[i] - delta) * scale
    }
    for i in seen..<p.columns {
        probability[i] = 0
        gradient[i] = 0
    }
}

/// Where one head of one sequence lies in a lane's matrices.
private struct HeadWindow {
    let head: Int
    let firstToken: Int
    private let tokens: Range<Int>
    private let columns: Range<Int>
    private let dModel: Int

    init(sequence: Int, head: Int, _ shape: AttentionShape) {
        self.head = head
        firstToken = sequence * shape.context
        tokens = firstToken..<firstToken + shape.context
        columns = head * shape.headDimension..<(head + 1) * shape.headDimension
        dModel = shape.dModel
    }

    /// `[context, dHead]` of a `[tokens, dModel]`.
    func window(_ x: Tensor) -> Tensor { x.rows(tokens).columns(columns) }

    /// The head's queries, keys and values, `[context, dHead]` each.
    func split(_ qkv: Tensor) -> (Tensor, Tensor, Tensor) {
        let rows = qkv.rows(tokens)
        return (
            rows.columns(0..<dModel).columns(columns), rows.columns(dModel..<2 * dModel).columns(columns),
            rows.columns(2 * dModel..<3 * dModel).columns(columns)
        )
    }
}
