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

    /// `p = exp(scale·(s − max s))` over the keys that each row's query sees, zeros after.
    /// - Parameters:
    ///   - scores: `[queries, keys]`, become p
    ///   - p: rounded; in float32 the memory of the scores
    ///   - first: position of the first query
    ///   - totals: `[≥ queries]`, each row's sum of p
    ///   - logSumExp: `[1, queries]`, of `scale·s`
    static func softmaxNumerators(
        _ scores: Tensor, first: Int, scale: Float, into p: Operand, totals: Vector<Float>, logSumExp: Tensor)

    /// `y_t = x_t / totals_t`, rounded.
    static func divideRows(_ x: Tensor, by totals: Vector<Float>, into y: Operand)

    /// `p = exp(scale·s − logsumexp)` and `ds = p·(dp − do·o)·scale` over the keys that each row's query sees, zeros after.
    /// - Parameters:
    ///   - scores, dP: `[queries, keys]`, become p and ds
    ///   - p, ds: rounded; in float32 the memory of the scores and of dP
    ///   - out, dOut: `[queries, dHead]`
    static func scoresBackward(
        _ scores: Tensor, _ dP: Tensor, out: Operand, dOut: Operand, first: Int, scale: Float, logSumExp: Tensor,
        into p: Operand, _ ds: Operand)

    /// Pairs `(i, i + dHead/2)` of every head turned by their row's angles: `(a, b) ← (a·cos − b·sin, b·cos + a·sin)`.
    /// - Parameters:
    ///   - x: `[tokens, heads·dHead]`
    ///   - first: position of the first row; positions start again after `context`
    ///   - cosine, sine: `[context, dHead/2]`
    ///   - direction: 1, or −1 for the way back
    static func rotate(_ x: Operand, first: Int, cosine: Tensor, sine: Tensor, direction: Float)

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
