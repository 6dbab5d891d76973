import Kernels
import Platform
import Tensors
import Testing
import Threading

/// One head of one sequence in double precision, loop by loop.
private struct Head {
    let q: Doubles
    let k: Doubles
    let v: Doubles
    /// `[context, context]`, zero above the diagonal.
    let p: Doubles
    let logSumExp: [Double]
    let scale: Double

    /// - Parameter columns: the first columns of its queries, keys and values
    init(_ qkv: Doubles, firstToken: Int, context: Int, columns: [Int], dimension: Int) {
        func part(_ which: Int) -> Doubles {
            Doubles(rows: context, columns: dimension) { qkv[firstToken + $0, columns[which] + $1] }
        }
        let q = part(0), k = part(1), scale = 1 / Double(dimension).squareRoot()
        var p = Doubles(rows: context, columns: context), sums: [Double] = []
        for t in 0..<context {
            let scores = (0...t).map { inner(q.row(t), k.row($0)) * scale }
            let top = scores.max()!, total = scores.reduce(0) { $0 + exp($1 - top) }
            for s in 0...t { p[t, s] = exp(scores[s] - top) / total }
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

@Suite struct AttentionTests {
    /// Contexts around the query tile of 128, and of several key tiles of 512.
    private static let cases: [(heads: Int, dimension: Int, context: Int, sequences: Int, keyHeads: Int)] = [
        (1, 2, 1, 1, 1), (1, 2, 2, 0, 1), (3, 2, 5, 3, 3), (1, 7, 63, 2, 1), (2, 16, 64, 1, 2), (1, 4, 127, 2, 1),
        (2, 6, 128, 1, 2),
        (1, 3, 129, 2, 1), (1, 8, 255, 1, 1), (2, 2, 257, 1, 2), (1, 64, 130, 1, 1), (1, 32, 256, 1, 1),
        (1, 2, 640, 1, 1),
        (1, 3, 1030, 1, 1), (2, 2, 5, 3, 1), (6, 3, 129, 2, 2), (4, 2, 640, 1, 1),
    ]

    @Test(arguments: cases.indices, precisions) func forwardAndBackward(index: Int, precision: Precision) {
        let (heads, dimension, context, sequences, keyHeads) = Self.cases[index]
        let d = heads * dimension, width = d + 2 * keyHeads * dimension, tokens = sequences * context
        let shape = AttentionShape(heads: heads, keyValueHeads: keyHeads, headSize: dimension, context: context)
        let qkv = rounded(random(tokens, width, seed: 1, scale: 2), to: precision)
        let dO = rounded(random(tokens, d, seed: 2), to: precision)
        let found = sameOnAnyThreads { workers in
            let o = Operand(precision, rows: tokens, columns: d), sums = Tensor(rows: heads, columns: tokens)
            let dQKV = rounded(random(tokens, width, seed: 3), to: precision)
            let scratch = usedScratch(shape, precision, workers: workers.count)
            attention(qkv, shape: shape, into: o, logSumExp: sums, scratch: scratch, on: workers)
            attentionBackward(
                dO, qkv: qkv, o: o, logSumExp: sums, shape: shape, rotary: nil, into: dQKV, scratch: scratch,
                on: workers)
            return [o.floats, sums, dQKV.floats]
        }
        let expected = oracle(
            Doubles(qkv), Doubles(dO), heads: (heads, keyHeads), dimension: dimension, context: context,
            unit: precision.halfUnit)
        let worst = expectClose(found, expected.values, within: 3e-6, allowances: expected.errors)
        print(
            "attention \(precision) \(heads) over \(keyHeads) × \(dimension), context \(context): largest deviation \(worst) of its bound"
        )
    }

    /// Gradients of queries and keys that were turned are turned back: in float32 to the bit what turning them afterwards
    /// gives, in bfloat16 but for one rounding instead of two.
    @Test(arguments: precisions) func turnsGradientsBack(precision: Precision) {
        let shape = AttentionShape(heads: 2, headSize: 6, context: 131), tokens = 262
        let table = RotaryTable(context: 140, headSize: 6, frequencies: rotaryFrequencies(6))
        let qkv = rounded(random(tokens, 36, seed: 6), to: precision)
        let dO = rounded(random(tokens, 12, seed: 7), to: precision)
        func gradients(_ rotary: RotaryTable?) -> Operand {
            let workers = ThreadPool(count: 2), scratch = usedScratch(shape, precision, workers: 2)
            let o = Operand(precision, rows: tokens, columns: 12), sums = Tensor(rows: 2, columns: tokens)
            let dQKV = Operand(precision, rows: tokens, columns: 36)
            attention(qkv, shape: shape, into: o, logSumExp: sums, scratch: scratch, on: workers)
            attentionBackward(
                dO, qkv: qkv, o: o, logSumExp: sums, shape: shape, rotary: rotary, into: dQKV, scratch: scratch,
                on: workers)
            return dQKV
        }
        let afterwards = gradients(nil)
        table.rotate(afterwards.columns(0..<24), first: 0, context: 131, inverse: true)
        let bound = precision == .float32 ? 0 : 2 * precision.halfUnit
        expectClose([gradients(table).floats], [Doubles(afterwards)], within: bound)
    }

    /// Scratch of each worker after longer sequences than these, full of NaN: a kernel must not read what it did not
    /// write.
    private func usedScratch(_ shape: AttentionShape, _ precision: Precision, workers: Int) -> [AttentionScratch] {
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

    /// `[o, logsumexps, dQKV]`, and what rounding to numbers of relative error `unit` moves each by at most.
    private func oracle(
        _ qkv: Doubles, _ dO: Doubles, heads: (queries: Int, keys: Int), dimension: Int, context: Int, unit: Double
    ) -> (values: [Doubles], errors: [Doubles]) {
        let d = heads.queries * dimension, tokens = qkv.rows
        let shapes = [(tokens, d), (heads.queries, tokens), (tokens, d + 2 * heads.keys * dimension)]
        var values = shapes.map { Doubles(rows: $0.0, columns: $0.1) }, errors = values
        for first in stride(from: 0, to: tokens, by: context) {
            for h in 0..<heads.queries {
                let column = h * dimension, key = d + h * heads.keys / heads.queries * dimension
                let columns = [column, key, key + heads.keys * dimension]
                let head = Head(qkv, firstToken: first, context: context, columns: columns, dimension: dimension)
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

    /// The oracle's own Jacobian against central differences of its forward pass, on a size where that is cheap.
    @Test func theOracleAgreesWithCentralDifferences() {
        let (context, dimension) = (5, 3)
        let qkv = Doubles(random(context, 3 * dimension, seed: 4, scale: 2))
        let dO = Doubles(random(context, dimension, seed: 5))
        let analytic = oracle(qkv, dO, heads: (1, 1), dimension: dimension, context: context, unit: 0).values[2]
        let flat = qkv.values
        for i in flat.indices {
            let numeric = slope(flat, i) { values in
                let moved = Doubles(rows: context, columns: 3 * dimension) { values[$0 * 3 * dimension + $1] }
                let columns = [0, dimension, 2 * dimension]
                let head = Head(moved, firstToken: 0, context: context, columns: columns, dimension: dimension)
                return inner(head.output.values, dO.values)
            }
            #expect(abs(numeric - analytic.values[i]) <= 1e-8)
        }
    }
}
