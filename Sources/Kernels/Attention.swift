import GEMM
package import Tensors
import Tracing
import VectorLoops
package import Workers

/// `o = softmax(q·kᵀ/√dHead + causal mask)·v` per sequence and head.
///
/// Scores exist for one tile of queries at a time (Dao et al., "FlashAttention", arXiv:2205.14135: what the backward
/// pass needs is only each row's logsumexp). Answers are divided by the rows' sums instead of probabilities, which are more.
/// - Parameters:
///   - qkv: `[tokens, 3·dModel]`, queries | keys | values, heads side by side, tokens sequence after sequence
///   - o: `[tokens, dModel]`
///   - logSumExp: `[heads, tokens]`
///   - scratch: one for each worker
package func attention(
    _ qkv: Operand, shape: AttentionShape, into o: Operand, logSumExp: Tensor, scratch: [AttentionScratch],
    on workers: Workers
) {
    workers.tracer?.begin(.attention)
    defer { workers.tracer?.end() }
    let sequences = qkv.rows / shape.context
    workers.run(sequences * shape.heads) { worker, task in
        let head = AttentionHead(sequence: task / shape.heads, head: task % shape.heads, shape)
        let (q, k, v) = head.split(qkv)
        let out = head.window(o), memory = scratch[worker]
        for queries in shape.tiles {
            let keys = 0..<queries.upperBound
            let (scores, p) = memory.first(rows: queries.count, columns: keys.count)
            GEMM.multiply(q.rows(queries).factor, k.rows(keys).transposed, into: .float32(scores))
            let sums = logSumExp.rows(head.number..<head.number + 1).columns(head.tokens).columns(queries)
            loops.softmaxNumerators(
                scores, first: queries.lowerBound, scale: shape.scale, into: p, totals: memory.totals, logSumExp: sums)
            let answers = memory.answers.rows(0..<queries.count)
            GEMM.multiply(p.factor, v.rows(keys).factor, into: .float32(answers))
            loops.divideRows(answers, by: memory.totals, into: out.rows(queries))
        }
    }
}

/// Backward of `attention`: with `p = exp(q·kᵀ/√dHead − logSumExp)` and `δ_t = do_t·o_t`,
/// `dv = pᵀ·do`, `ds = p·(do·vᵀ − δ)/√dHead`, `dq = ds·k`, `dk = dsᵀ·q`. One thread per sequence and head.
/// - Parameters:
///   - dO, o: `[tokens, dModel]`
///   - dQKV: `[tokens, 3·dModel]`, overwritten
package func attentionBackward(
    _ dO: Operand, qkv: Operand, o: Operand, logSumExp: Tensor, shape: AttentionShape, into dQKV: Operand,
    scratch: [AttentionScratch], on workers: Workers
) {
    workers.tracer?.begin(.attentionBackward)
    defer { workers.tracer?.end() }
    let sequences = qkv.rows / shape.context
    workers.run(sequences * shape.heads) { worker, task in
        let head = AttentionHead(sequence: task / shape.heads, head: task % shape.heads, shape)
        let (q, k, v) = head.split(qkv)
        let (dq, dk, dv) = head.split(dQKV)
        let out = head.window(o), dOut = head.window(dO), memory = scratch[worker]
        // The last tile sees every key, so it writes dk and dv whole and the others add.
        for queries in shape.tiles.reversed() {
            let keys = 0..<queries.upperBound
            let (scores, p) = memory.first(rows: queries.count, columns: keys.count)
            let (dP, ds) = memory.second(rows: queries.count, columns: keys.count)
            let qTile = q.rows(queries), dOTile = dOut.rows(queries)
            GEMM.multiply(qTile.factor, k.rows(keys).transposed, into: .float32(scores))
            GEMM.multiply(dOTile.factor, v.rows(keys).transposed, into: .float32(dP))
            let sums = logSumExp.rows(head.number..<head.number + 1).columns(head.tokens).columns(queries)
            loops.scoresBackward(
                scores, dP, out: out.rows(queries), dOut: dOTile, first: queries.lowerBound, scale: shape.scale,
                logSumExp: sums, into: p, ds)
            let adding = queries.upperBound < shape.context
            GEMM.multiply(p.transposed, dOTile.factor, into: .float32(memory.dValues.rows(keys)), adding: adding)
            GEMM.multiply(ds.factor, k.rows(keys).factor, into: dq.rows(queries))
            GEMM.multiply(ds.transposed, qTile.factor, into: .float32(memory.dKeys.rows(keys)), adding: adding)
        }
        write(memory.dKeys, into: dk)
        write(memory.dValues, into: dv)
    }
}

private func write(_ sums: Tensor, into target: Operand) {
    switch target {
    case .float32(let target): for t in 0..<target.rows { copy(sums.row(t), into: target, row: t) }
    case .bfloat16(let target): for t in 0..<target.rows { copy(sums.row(t), into: target, row: t) }
    }
}
