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
///   - head: `[vocabulary, dModel]`, in the same precision
///   - targets: `[tokens]`
///   - losses: `[tokens]`, in nats
///   - logits: `[≥ chunk, vocabulary]`, scratch
package func crossEntropy(
    _ x: Operand, head: Operand, targets: Vector<Int32>, losses: Vector<Float>, logits: Tensor, on workers: Workers
) {
    forEachChunk(of: x.rows, vocabulary: head.rows) { rows in
        let z = logits.rows(0..<rows.count)
        multiply(x.rows(rows).factor, head.transposed, into: .float32(z), on: workers)
        workers.run(over: rows.count, tile: 16) { tile in
            for t in tile { losses[rows.lowerBound + t] = exponentials(z, t, targets[rows.lowerBound + t]).loss }
        }
    }
}

/// Where logits and their gradients are while a chunk of tokens is worked on.
package struct LogitScratch: Sendable {
    /// `[chunk, vocabulary]`
    package let logits: Tensor
    /// `[chunk, vocabulary]` in the precision of products; in float32 the same memory as the logits.
    package let gradients: Operand

    package init(chunk: Int, vocabulary: Int, _ precision: Precision) {
        logits = Tensor(rows: chunk, columns: vocabulary)
        gradients =
            precision == .float32 ? .float32(logits) : Operand(precision, rows: chunk, columns: vocabulary)
    }
}

/// `crossEntropy` with its gradients in the same pass: `dz = scale·(softmax(z) − onehot(target))`, `dx = dz·head`,
/// `dHead (+)= dzᵀ·x`.
/// - Parameters:
///   - scale: 1 / predicted tokens of the global batch
///   - dx: `[tokens, dModel]`, overwritten
///   - dHead: `[vocabulary, dModel]`, overwritten, or added to if `adding`
package func crossEntropyWithGradient(
    _ x: Operand, head: Operand, targets: Vector<Int32>, scale: Float, losses: Vector<Float>, dx: Tensor,
    dHead: Tensor, adding: Bool, scratch: LogitScratch, on workers: Workers
) {
    forEachChunk(of: x.rows, vocabulary: head.rows) { rows in
        let chunk = 0..<rows.count
        let z = scratch.logits.rows(chunk), dz = scratch.gradients.rows(chunk)
        multiply(x.rows(rows).factor, head.transposed, into: .float32(z), on: workers)
        let lane = rows.lowerBound..<rows.upperBound
        switch dz {
        case .float32(let dz): lossGradients(z, targets[lane], scale, losses[lane], into: dz, on: workers)
        case .bfloat16(let dz): lossGradients(z, targets[lane], scale, losses[lane], into: dz, on: workers)
        }
        multiply(dz.factor, head.factor, into: .float32(dx.rows(rows)), on: workers)
        multiply(
            dz.transposed, x.rows(rows).factor, into: .float32(dHead), adding: adding || rows.lowerBound > 0,
            on: workers)
    }
}

private func lossGradients<Element: KernelElement>(
    _ z: Tensor, _ targets: Vector<Int32>, _ scale: Float, _ losses: Vector<Float>, into dz: Matrix<Element>,
    on workers: Workers
) {
    workers.run(over: z.rows, tile: 16) { tile in
        for t in tile {
            let (loss, total) = exponentials(z, t, targets[t])
            losses[t] = loss
            let factor = scale / total, target = Int(targets[t])
            let row = z.row(t), atTarget = row[target] * factor - scale
            var out = dz.mutableRow(t)
            for i in 0..<row.count { out[i] = Element(storing: row[i] * factor) }
            out[target] = Element(storing: atTarget)
        }
    }
}

/// Replaces a row of logits by `exp(z − max z)`.
/// - Returns: the loss of the row as it was, and the sum of what it is now
@inline(__always)
private func exponentials(_ z: Tensor, _ t: Int, _ target: Int32) -> (loss: Float, total: Float) {
    let atTarget = z[t, Int(target)]
    let top = maximum(z.row(t))
    var row = z.mutableRow(t)
    for i in 0..<row.count { row[i] = exponential(row[i] - top) }
    let total = sum(z.row(t))
    return (top + log(total) - atTarget, total)
}

private func forEachChunk(of tokens: Int, vocabulary: Int, _ body: (Range<Int>) -> Void) {
    let chunk = crossEntropyChunk(vocabulary: vocabulary)
    var start = 0
    while start < tokens {
        let rows = start..<min(start + chunk, tokens)
        body(rows)
        start = rows.upperBound
    }
}
