import Kernels
import Platform
import Tensors
import Threading

/// One head of one sequence in double precision, loop by loop.
struct OracleHead {
    let q: Doubles
    let k: Doubles
    let v: Doubles
    /// `[context, context]`, zero where a query does not see a key.
    let p: Doubles
    let logSumExp: [Double]
    let scale: Double

    /// - Parameters:
    ///   - columns: the first columns of its queries, keys and values
    ///   - starts: the first key that each query sees
    init(
        _ qkv: Doubles, firstToken: Int, context: Int, columns: [Int], dimension: Int, starts: [Int]? = nil
    ) {
        func part(_ which: Int) -> Doubles {
            Doubles(rows: context, columns: dimension) { qkv[firstToken + $0, columns[which] + $1] }
        }
        let q = part(0), k = part(1), scale = 1 / Double(dimension).squareRoot()
        var p = Doubles(rows: context, columns: context), sums: [Double] = []
        for t in 0..<context {
            let first = starts?[t] ?? 0
            let scores = (first...t).map { inner(q.row(t), k.row($0)) * scale }
            let top = scores.max()!, total = scores.reduce(0) { $0 + exp($1 - top) }
            for s in first...t { p[t, s] = exp(scores[s - first] - top) / total }
            sums.append(top + log(total))
        }
        (self.q, self.k, v) = (q, k, part(2))
        (self.p, logSumExp, self.scale) = (p, sums, scale)
    }

    var output: Doubles { p * v }

    /// What rounding p moves the output by at most, and rounding the output itself.
    func outputError(_ unit: Double) -> Doubles { unit * (p * v.magnitudes) + unit * output.magnitudes }

    /// What rounding p, the output and the scores' gradients moves the gradients of q, k and v by at most, and rounding
    /// the gradients themselves.
    func backwardError(_ dO: Doubles, _ unit: Double) -> (Doubles, Doubles, Doubles) {
        let dp = dO * v.transposed, oError = outputError(unit)
        let ds = Doubles(rows: p.rows, columns: p.rows) { t, s in
            let delta = inner(dO.magnitudes.row(t), oError.row(t))
            return p[t, s] * scale * (delta + unit * abs(dp[t, s] - inner(p.row(t), dp.row(t))))
        }
        let exact = backward(dO)
        return (
            ds * k.magnitudes + unit * exact.0.magnitudes, ds.transposed * q.magnitudes + unit * exact.1.magnitudes,
            unit * (p.transposed * dO.magnitudes) + unit * exact.2.magnitudes
        )
    }

    /// Gradients of q, k and v: the softmax's Jacobian, row by row.
    func backward(_ dO: Doubles) -> (Doubles, Doubles, Doubles) {
        let dp = dO * v.transposed
        let ds = Doubles(rows: p.rows, columns: p.rows) { t, s in
            p[t, s] * (dp[t, s] - inner(p.row(t), dp.row(t))) * scale
        }
        return (ds * k, ds.transposed * q, p.transposed * dO)
    }
}

/// `[o, logsumexps, dQKV]`, and what rounding to numbers of relative error `unit` moves each by at most.
func attentionOracle(
    _ qkv: Doubles, _ dO: Doubles, heads: (queries: Int, keys: Int), dimension: Int, context: Int, unit: Double,
    starts: [Int]? = nil
) -> (values: [Doubles], errors: [Doubles]) {
    let d = heads.queries * dimension, tokens = qkv.rows
    let shapes = [(tokens, d), (heads.queries, tokens), (tokens, d + 2 * heads.keys * dimension)]
    var values = shapes.map { Doubles(rows: $0.0, columns: $0.1) }, errors = values
    for first in stride(from: 0, to: tokens, by: context) {
        for h in 0..<heads.queries {
            let column = h * dimension, key = d + h * heads.keys / heads.queries * dimension
            let columns = [column, key, key + heads.keys * dimension]
            let head = OracleHead(
                qkv, firstToken: first, context: context, columns: columns, dimension: dimension,
                starts: starts.map { Array($0[first..<first + context]) })
            let outer = Doubles(rows: context, columns: dimension) { dO[first + $0, column + $1] }
            for t in 0..<context { values[1][h, first + t] = head.logSumExp[t] }
            values[0].set(head.output, atRow: first, column)
            errors[0].set(head.outputError(unit), atRow: first, column)
            let (dq, dk, dv) = head.backward(outer), error = head.backwardError(outer, unit)
            for (place, block) in zip(columns, [dq, dk, dv]) { values[2].add(block, atRow: first, place) }
            for (place, block) in zip(columns, [error.0, error.1, error.2]) {
                errors[2].add(block, atRow: first, place)
            }
        }
    }
    return (values, errors)
}

/// Scratch of each worker after longer sequences than these, full of NaN: a kernel must not read what it did not
/// write.
func usedScratch(_ shape: AttentionShape, _ precision: Precision, workers: Int) -> [AttentionScratch] {
    let context = shape.context + 9, d = shape.headSize
    let longer = AttentionShape(heads: 1, headSize: d, context: context)
    let nothing = Tensor(rows: context, columns: 3 * d)
    for t in 0..<context {
        for c in 0..<3 * d { nothing[t, c] = .nan }
    }
    let qkv = rounded(nothing, to: precision), o = Operand(precision, rows: context, columns: d)
    let dQKV = Operand(precision, rows: context, columns: 3 * d), sums = Tensor(rows: 1, columns: context)
    return (0..<workers).map { _ in
        let scratch = AttentionScratch(longer, precision), alone = ThreadPool(count: 1)
        attention(qkv, shape: longer, into: o, logSumExp: sums, scratch: [scratch], on: alone)
        attentionBackward(
            o, qkv: qkv, o: o, logSumExp: sums, shape: longer, rotary: nil, into: dQKV, scratch: [scratch],
            on: alone)
        return scratch
    }
}
