import GEMM
package import Tensors
package import Workers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How many rows of logits exist at a time, a function of the vocabulary alone: at most 64 MiB of them.
package func crossEntropyChunk(vocabulary: Int) -> Int {
    max(64, min(1024, (1 << 24) / vocabulary / 64 * 64))
}

/// `loss_t = logsumexp(z_t) − z_t[target_t]`, `z = x·headᵀ`, chunk by chunk of tokens: never all logits at once.
/// - Parameters:
///   - x: `[tokens, dModel]`
///   - head: `[vocabulary, dModel]`
///   - targets: `[tokens]`
///   - losses: `[tokens]`, in nats
///   - logits: `[≥ chunk, vocabulary]`, scratch
package func crossEntropy(
    _ x: Tensor, head: Tensor, targets: Vector<Int32>, losses: Vector<Float>, logits: Tensor, on workers: Workers
) {
    forEachChunk(of: x, vocabulary: head.rows, logits) { rows, z in
        multiply(x.rows(rows).factor, head.transposed, into: z, on: workers)
        workers.run(over: rows.count, tile: 16) { tile in
            for t in tile {
                let target = Int(targets[rows.lowerBound + t])
                let atTarget = z[t, target]
                losses[rows.lowerBound + t] = softmaxRow(z, t).logSumExp - atTarget
            }
        }
    }
}

/// `crossEntropy` with its gradients in the same pass: `dz = scale·(softmax(z) − onehot(target))`, `dx = dz·head`,
/// `dHead (+)= dzᵀ·x`.
/// - Parameters:
///   - scale: 1 / predicted tokens of the global batch
///   - dx: `[tokens, dModel]`, overwritten
///   - dHead: `[vocabulary, dModel]`, overwritten, or added to if `adding`
package func crossEntropyWithGradient(
    _ x: Tensor, head: Tensor, targets: Vector<Int32>, scale: Float, losses: Vector<Float>, dx: Tensor, dHead: Tensor,
    adding: Bool, logits: Tensor, on workers: Workers
) {
    forEachChunk(of: x, vocabulary: head.rows, logits) { rows, z in
        multiply(x.rows(rows).factor, head.transposed, into: z, on: workers)
        workers.run(over: rows.count, tile: 16) { tile in
            for t in tile {
                let target = Int(targets[rows.lowerBound + t])
                let atTarget = z[t, target]
                let (logSumExp, total) = softmaxRow(z, t)
                losses[rows.lowerBound + t] = logSumExp - atTarget
                var row = z.mutableRow(t)
                let factor = scale / total
                for i in 0..<row.count { row[i] *= factor }
                row[target] -= scale
            }
        }
        multiply(z.factor, head.factor, into: dx.rows(rows), on: workers)
        multiply(
            z.transposed, x.rows(rows).factor, into: dHead, adding: adding || rows.lowerBound > 0, on: workers)
    }
}

/// Replaces a row by `exp(z − max z)`; returns its sum and the logsumexp of the row as it was.
@inline(__always)
private func softmaxRow(_ z: Tensor, _ t: Int) -> (logSumExp: Float, total: Float) {
    let top = maximum(z.row(t))
    var row = z.mutableRow(t)
    for i in 0..<row.count { row[i] = exponential(row[i] - top) }
    let total = sum(z.row(t))
    return (top + log(total), total)
}

private func forEachChunk(of x: Tensor, vocabulary: Int, _ logits: Tensor, _ body: (Range<Int>, Tensor) -> Void) {
    let chunk = crossEntropyChunk(vocabulary: vocabulary)
    var start = 0
    while start < x.rows {
        let rows = start..<min(start + chunk, x.rows)
        body(rows, logits.reshaped(rows: rows.count, columns: vocabulary))
        start = rows.upperBound
    }
}
