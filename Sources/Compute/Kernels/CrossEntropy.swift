import KernelLoops
import MatrixProducts
package import Tensors
package import Threading

/// How many rows of logits exist at a time, a function of the vocabulary alone: at most 64 MiB of them, but no fewer than 64 rows.
package func crossEntropyChunk(vocabulary: Int) -> Int {
    max(64, min(1024, (1 << 24) / vocabulary / 64 * 64))
}

/// `loss_t = logsumexp(z_t) − z_t[target_t]`, `z = x·headᵀ`, chunk by chunk of tokens: never all logits at once.
/// - Parameters:
///   - x: `[tokens, dModel]`
///   - head: `[vocabulary, dModel]`, in the same precision
///   - targets: `[tokens]`
///   - losses: `[tokens]`, in nats
///   - scratch: of at least a chunk of tokens
package func crossEntropy(
    _ x: Operand, head: Operand, targets: Vector<Int32>, losses: Vector<Float>, scratch: LogitScratch,
    on workers: ThreadPool
) {
    forEachChunk(of: x.rows, vocabulary: head.rows) { rows in
        let z = scratch.logits.rows(0..<rows.count)
        multiply(x.rows(rows).factor, head.transposed, into: .float32(z), on: workers)
        let targets = targets[rows], losses = losses[rows]
        workers.run(over: rows.count, tile: 16) { tile in
            kernelLoops.losses(z.rows(tile), targets: targets[tile], into: losses[tile], totals: scratch.totals[tile])
        }
    }
}

/// Where logits and their gradients are while a chunk of tokens is worked on.
package struct LogitScratch: Sendable {
    /// `[chunk, vocabulary]`
    package let logits: Tensor
    /// `[chunk, vocabulary]` in the precision of products; in float32 the same memory as the logits.
    package let gradients: Operand
    /// `[chunk]`: sums of exponentials.
    let totals: Vector<Float>

    package init(chunk: Int, vocabulary: Int, _ precision: Precision) {
        logits = Tensor(rows: chunk, columns: vocabulary)
        gradients =
            precision == .float32 ? .float32(logits) : Operand(precision, rows: chunk, columns: vocabulary)
        totals = Vector(count: chunk)
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
    dHead: Tensor, adding: Bool, scratch: LogitScratch, on workers: ThreadPool
) {
    forEachChunk(of: x.rows, vocabulary: head.rows) { rows in
        let chunk = 0..<rows.count
        let z = scratch.logits.rows(chunk), dz = scratch.gradients.rows(chunk)
        multiply(x.rows(rows).factor, head.transposed, into: .float32(z), on: workers)
        let targets = targets[rows], losses = losses[rows]
        workers.run(over: rows.count, tile: 16) { tile in
            kernelLoops.lossGradients(
                z.rows(tile), targets: targets[tile], scale: scale, into: losses[tile], totals: scratch.totals[tile],
                dz.rows(tile))
        }
        multiply(dz.factor, head.factor, into: .float32(dx.rows(rows)), on: workers)
        multiply(
            dz.transposed, x.rows(rows).factor, into: .float32(dHead), adding: adding || rows.lowerBound > 0,
            on: workers)
    }
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
