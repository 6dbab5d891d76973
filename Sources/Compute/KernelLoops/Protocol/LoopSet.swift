package import Tensors

/// Loops over rows that do enough arithmetic per byte for the width of vectors to matter.
///
/// There are two sets of one source: `BaselineLoops`, compiled for the build's processor, and on x86-64 `WideLoops`, compiled
/// for AVX-512 (docs/architecture.md). Results are the same bits. Matrices are one thread's share; sums run in a fixed order.
package protocol LoopSet: SendableMetatype {
    /// `a = silu(gate)·up`.
    /// - Parameters:
    ///   - gateUp: `[rows, 2·hidden]`, gate | up
    ///   - a: `[rows, hidden]`, in the same precision
    static func swiGLU(_ gateUp: Operand, into a: Operand)

    /// Backward of `swiGLU`, which replaces gate and up by their gradients.
    static func swiGLUBackward(_ da: Operand, replacing gateUp: Operand)

    /// `a = gelu(gate)·up`, and its backward, as `swiGLU`.
    static func geGLU(_ gateUp: Operand, into a: Operand)
    static func geGLUBackward(_ da: Operand, replacing gateUp: Operand)

    /// `a = gelu(x)`, and its backward, which replaces x by its gradient.
    /// - Parameters:
    ///   - x, a: `[rows, hidden]`, in the same precision
    static func gelu(_ x: Operand, into a: Operand)
    static func geluBackward(_ da: Operand, replacing x: Operand)

    /// `a = max(0, x)²`, and its backward, as `gelu`.
    static func squaredReLU(_ x: Operand, into a: Operand)
    static func squaredReLUBackward(_ da: Operand, replacing x: Operand)

    /// `y = x`, rounded to y's precision.
    static func copyRows(_ x: Operand, into y: Operand)

    /// One block of keys of a softmax that sees them block after block (Milakov & Gimelshein, arXiv:1805.02867, algorithm 3):
    /// `p = exp(scale·(s − top))` over the keys that each row's query sees, zeros elsewhere, top the largest score so far.
    /// - Parameters:
    ///   - scores: `[queries, keys]`, become p
    ///   - p: rounded; in float32 the memory of the scores
    ///   - sums: what the blocks before left, if there were any (`isFirst`)
    static func softmaxNumerators(
        _ scores: Tensor, of visible: VisibleKeys, scale: Float, into p: Operand, sums: SoftmaxSums, isFirst: Bool)

    /// `y_t = x_t / totals_t`, rounded, and `logSumExp_t = scale·tops_t + log totals_t`.
    /// - Parameters:
    ///   - x, y: `[queries, dHead]`
    ///   - logSumExp: `[1, queries]`
    static func finishSoftmax(_ x: Tensor, sums: SoftmaxSums, scale: Float, into y: Operand, logSumExp: Tensor)

    /// `x_t ← x_t·factors_t`: sums over earlier blocks under a later block's top.
    static func scaleRows(_ x: Tensor, by factors: Vector<Float>)

    /// `δ_t = do_t·o_t` for every row.
    static func rowProducts(_ dOut: Operand, _ out: Operand, into deltas: Vector<Float>)

    /// `p = exp(scale·s − logsumexp)` and `ds = p·(dp − δ)·scale` over the keys that each row's query sees, zeros elsewhere.
    /// - Parameters:
    ///   - scores, dP: `[queries, keys]`, become p and ds
    ///   - p, ds: rounded; in float32 the memory of the scores and of dP
    ///   - deltas: `[≥ queries]`, from `rowProducts`
    static func scoresBackward(
        _ scores: Tensor, _ dP: Tensor, of visible: VisibleKeys, deltas: Vector<Float>, scale: Float,
        logSumExp: Tensor, into p: Operand, _ ds: Operand)

    /// Pairs `(i, i + pairs)` of every head turned by their row's angles: `(a, b) ← (a·cos − b·sin, b·cos + a·sin)`.
    /// - Parameters:
    ///   - x: `[tokens, heads·dHead]`
    ///   - first: position of the first row; positions start again after `context`
    ///   - starts: `[tokens]`: what is subtracted from each row's position; nil: nothing
    ///   - headSize: columns of a head, the first `2·pairs` of which turn
    ///   - cosine, sine: `[context, pairs]`
    ///   - direction: 1, or −1 for the way back
    static func rotate(
        _ x: Operand, headSize: Int, first: Int, starts: Vector<Int32>?, cosine: Tensor, sine: Tensor,
        direction: Float)

    /// `losses_t = logsumexp(z_t) − z_t[target_t]`; z becomes `exp(z − max z)`.
    /// - Parameter totals: `[≥ tokens]`, each row's sum of exponentials
    static func losses(_ z: Tensor, targets: Vector<Int32>, into losses: Vector<Float>, totals: Vector<Float>)

    /// `losses`, and their gradients `dz = scale·(softmax(z) − onehot(target))`.
    /// - Parameter dz: `[tokens, vocabulary]`; may be the memory of `z`
    static func lossGradients(
        _ z: Tensor, targets: Vector<Int32>, scale: Float, into losses: Vector<Float>, totals: Vector<Float>,
        _ dz: Operand)

    /// `sums ← quantize(values)` in fixed point, or `sums += quantize(values)` if `adding`.
    /// - Parameter limit: from `FixedPoint.limit`
    /// - Returns: whether some value was too large for the sum, infinite or NaN
    static func accumulateFixed(_ values: Vector<Float>, into sums: Vector<Int64>, adding: Bool, limit: Float) -> Bool
}

/// Which keys of a block each query of a tile sees: from the first one of its document to its own.
package struct VisibleKeys: Sendable {
    /// Position of the first query.
    package let query: Int
    /// Position of the block's first key.
    package let key: Int
    /// `[queries]`: the position of the first key that each query sees; nil: 0.
    package let starts: Vector<Int32>?

    package init(query: Int, key: Int, starts: Vector<Int32>? = nil) {
        (self.query, self.key, self.starts) = (query, key, starts)
    }
}

/// What a softmax over blocks of keys carries from block to block, `[≥ queries]` each.
package struct SoftmaxSums: Sendable {
    /// The largest score so far.
    package let maxima: Vector<Float>
    /// Σ exp(scale·(s − top)) so far.
    package let totals: Vector<Float>
    /// exp(scale·(earlier top − top)): by how much what was summed before shrinks.
    package let factors: Vector<Float>

    package init(queries: Int) {
        maxima = Vector(count: queries)
        totals = Vector(count: queries)
        factors = Vector(count: queries)
    }
}
