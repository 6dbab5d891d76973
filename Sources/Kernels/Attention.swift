import GEMM
package import Tensors
import Tracing
package import Workers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `o = softmax(q·kᵀ/√dHead + causal mask)·v` per sequence and head.
///
/// Scores exist for one tile of queries at a time (Dao et al., "FlashAttention", arXiv:2205.14135: what the backward
/// pass needs is only each row's logsumexp).
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
        let out = head.window(o)
        for queries in shape.tiles {
            let keys = 0..<queries.upperBound
            let (scores, p) = scratch[worker].first(rows: queries.count, columns: keys.count)
            GEMM.multiply(q.rows(queries).factor, k.rows(keys).transposed, into: .float32(scores))
            let sums = logSumExp.rows(head.number..<head.number + 1).columns(head.tokens).columns(queries)
            switch p {
            case .float32(let p): causalSoftmax(scores, firstQuery: queries.lowerBound, shape.scale, into: p, sums)
            case .bfloat16(let p): causalSoftmax(scores, firstQuery: queries.lowerBound, shape.scale, into: p, sums)
            }
            GEMM.multiply(p.factor, v.rows(keys).factor, into: out.rows(queries))
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
            scoresBackward(
                scores, dP, out: out.rows(queries), dOut: dOTile, firstQuery: queries.lowerBound, shape.scale, sums,
                into: p, ds)
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

/// Softmax of each row of scores over the keys its query sees, zeros after; leaves the logsumexps.
private func causalSoftmax<Element: KernelElement>(
    _ scores: Tensor, firstQuery: Int, _ scale: Float, into p: Matrix<Element>, _ logSumExp: Tensor
) {
    for row in 0..<scores.rows {
        let seen = firstQuery + row + 1
        let top = maximum(scores.row(row, 0..<seen))
        var values = scores.mutableRow(row)
        for i in 0..<seen { values[i] = exponential((values[i] - top) * scale) }
        let total = sum(scores.row(row, 0..<seen))
        let reciprocal = 1 / total
        var out = p.mutableRow(row)
        for i in 0..<seen { out[i] = Element(storing: values[i] * reciprocal) }
        for i in seen..<out.count { out[i] = Element(storing: 0) }
        logSumExp[0, row] = top * scale + log(total)
    }
}

private func scoresBackward(
    _ scores: Tensor, _ dP: Tensor, out: Operand, dOut: Operand, firstQuery: Int, _ scale: Float, _ logSumExp: Tensor,
    into p: Operand, _ ds: Operand
) {
    switch (out, dOut, p, ds) {
    case (.float32(let out), .float32(let dOut), .float32(let p), .float32(let ds)):
        scoresBackward(scores, dP, out, dOut, firstQuery, scale, logSumExp, into: p, ds)
    case (.bfloat16(let out), .bfloat16(let dOut), .bfloat16(let p), .bfloat16(let ds)):
        scoresBackward(scores, dP, out, dOut, firstQuery, scale, logSumExp, into: p, ds)
    default: preconditionFailure("operands of different precisions")
    }
}

/// Scores → probabilities, and `do·vᵀ` → `ds`, row by row.
private func scoresBackward<Element: KernelElement>(
    _ scores: Tensor, _ dP: Tensor, _ out: Matrix<Element>, _ dOut: Matrix<Element>, _ firstQuery: Int,
    _ scale: Float, _ logSumExp: Tensor, into p: Matrix<Element>, _ ds: Matrix<Element>
) {
    for row in 0..<scores.rows {
        let seen = firstQuery + row + 1
        let delta = dot(dOut.row(row), out.row(row)), logSum = logSumExp[0, row]
        let score = scores.row(row), gradient = dP.row(row)
        var probability = p.mutableRow(row), result = ds.mutableRow(row)
        for i in 0..<seen {
            let value = exponential(score[i] * scale - logSum), slope = gradient[i]
            probability[i] = Element(storing: value)
            result[i] = Element(storing: value * (slope - delta) * scale)
        }
        for i in seen..<result.count {
            probability[i] = Element(storing: 0)
            result[i] = Element(storing: 0)
        }
    }
}
