import Platform
package import Tensors
package import Threading

/// `p = softmax(z)` per row, in place, and `logsumexp(z)` kept for the z-loss.
/// - Parameters:
///   - z: `[tokens, experts]`, logits in, probabilities out
///   - logSumExp: `[tokens]`
package func routerSoftmax(_ z: Tensor, logSumExp: Vector<Float>, on workers: ThreadPool) {
    workers.run(over: z.rows, tile: rowTile) { rows in
        for t in rows {
            let top = maximum(z.row(t))
            var row = unsafe z.unsafeMutableRow(t)
            for e in 0..<row.count { row[e] = exponential(row[e] - top) }
            let total = sum(z.row(t))
            let reciprocal = 1 / total
            for e in 0..<row.count { row[e] *= reciprocal }
            logSumExp[t] = top + log(total)
        }
    }
}

/// The k most probable experts of every token, most probable first, ties to the lowest index, and their gates:
/// `g_j = p_j`, or `p_j / Σ_chosen p` if `normalize`.
/// - Parameters:
///   - p: `[tokens, experts]`
///   - bias: `[experts]`: what is compared is `p + bias`; gates stay without it
///   - expertIndices, gates: `[tokens · k]`, a token's k choices side by side
package func selectTopK(
    _ p: Tensor, bias: Vector<Float>? = nil, k: Int, normalize: Bool, expertIndices: Vector<Int32>,
    gates: Vector<Float>, on workers: ThreadPool
) {
    workers.run(over: p.rows, tile: rowTile) { rows in
        for t in rows {
            let row = p.row(t)
            var total: Float = 0
            for j in 0..<k {
                let best =
                    if let bias {
                        argmax(row, plus: bias.span, excluding: expertIndices, from: t * k, chosen: j)
                    } else {
                        argmax(row, excluding: expertIndices, from: t * k, chosen: j)
                    }
                expertIndices[t * k + j] = Int32(best)
                gates[t * k + j] = row[best]
                total += row[best]
            }
            guard normalize else { continue }
            for j in 0..<k { gates[t * k + j] /= total }
        }
    }
}

@inline(__always)
private func argmax(_ p: Span<Float>, excluding expertIndices: Vector<Int32>, from first: Int, chosen: Int) -> Int {
    var best = -1
    for e in 0..<p.count where best < 0 || p[e] > p[best] {
        var isTaken = false
        for j in 0..<chosen where Int(expertIndices[first + j]) == e { isTaken = true }
        if !isTaken { best = e }
    }
    return best
}

@inline(__always)
private func argmax(
    _ p: Span<Float>, plus bias: Span<Float>, excluding expertIndices: Vector<Int32>, from first: Int, chosen: Int
) -> Int {
    var best = -1
    for e in 0..<p.count where best < 0 || p[e] + bias[e] > p[best] + bias[best] {
        var isTaken = false
        for j in 0..<chosen where Int(expertIndices[first + j]) == e { isTaken = true }
        if !isTaken { best = e }
    }
    return best
}

/// `scale·X·f_e/T` for every token: the gradient of `X·Σ_e f_e·P_e` by the probabilities, of which only P_e carries any (Fedus
/// et al., arXiv:2101.03961, equation 4).
/// - Parameters:
///   - tokensPerExpert: `[experts]`, assignments before capacity
///   - scale: α over the number of micro-batches
///   - dp: `[tokens, experts]`, overwritten
package func loadBalanceGradient(
    _ tokensPerExpert: Vector<Int32>, k: Int, scale: Float, into dp: Tensor, on workers: ThreadPool
) {
    let experts = dp.columns, tokens = Float(dp.rows)
    let perAssignment = scale * Float(experts) / (tokens * Float(k)) / tokens
    workers.run(over: dp.rows, tile: rowTile) { rows in
        for t in rows {
            var out = unsafe dp.unsafeMutableRow(t)
            for e in 0..<experts { out[e] = perAssignment * Float(tokensPerExpert[e]) }
        }
    }
}

/// Backward of `selectTopK`: adds the gradient of the gates, through their normalization if there is one, to that of the
/// probabilities.
/// - Parameters:
///   - p: `[tokens, experts]`
///   - dGates: `[tokens · k]`, zero for choices that found no slot
///   - dp: `[tokens, experts]`
package func selectTopKBackward(
    _ p: Tensor, k: Int, normalize: Bool, expertIndices: Vector<Int32>, gates: Vector<Float>, dGates: Vector<Float>,
    addingTo dp: Tensor, on workers: ThreadPool
) {
    workers.run(over: p.rows, tile: rowTile) { rows in
        for t in rows {
            var out = unsafe dp.unsafeMutableRow(t)
            var shared: Float = 0, total: Float = 1
            if normalize {
                let probability = p.row(t)
                total = 0
                for i in t * k..<(t + 1) * k {
                    shared += dGates[i] * gates[i]
                    total += probability[Int(expertIndices[i])]
                }
            }
            for i in t * k..<(t + 1) * k { out[Int(expertIndices[i])] += (dGates[i] - shared) / total }
        }
    }
}

/// Backward of `routerSoftmax`, with the z-loss: `dz = p·(dp − Σ p·dp + ζ·2·logsumexp/T)` (z-loss: Zoph et al.,
/// arXiv:2202.08906, equation 5).
/// - Parameters:
///   - p: `[tokens, experts]`
///   - logSumExp: `[tokens]`
///   - zScale: ζ over the number of micro-batches
///   - dz: `[tokens, experts]`: the gradient of the probabilities, replaced by that of the logits
package func routerSoftmaxBackward(
    _ p: Tensor, logSumExp: Vector<Float>, zScale: Float, replacing dz: Tensor, on workers: ThreadPool
) {
    let experts = p.columns, tokens = Float(p.rows)
    workers.run(over: p.rows, tile: rowTile) { rows in
        for t in rows {
            var out = unsafe dz.unsafeMutableRow(t)
            let probability = p.row(t), mean = dot(probability, dz.row(t))
            let z = zScale * 2 * logSumExp[t] / tokens
            for e in 0..<experts { out[e] = probability[e] * (out[e] - mean + z) }
        }
    }
}
