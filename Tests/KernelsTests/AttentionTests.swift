import Kernels
import Tensors
import Testing
import Workers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One head of one sequence in double precision, loop by loop.
private struct Head {
    let q: Matrix
    let k: Matrix
    let v: Matrix
    /// `[context, context]`, zero above the diagonal.
    let p: Matrix
    let logSumExp: [Double]
    let scale: Double

    init(_ qkv: Matrix, firstToken: Int, context: Int, firstColumn: Int, dimension: Int, dModel: Int) {
        func part(_ which: Int) -> Matrix {
            Matrix(rows: context, columns: dimension) { qkv[firstToken + $0, which * dModel + firstColumn + $1] }
        }
        let q = part(0), k = part(1), scale = 1 / Double(dimension).squareRoot()
        var p = Matrix(rows: context, columns: context), sums: [Double] = []
        for t in 0..<context {
            let scores = (0...t).map { inner(q.row(t), k.row($0)) * scale }
            let top = scores.max()!, total = scores.reduce(0) { $0 + exp($1 - top) }
            for s in 0...t { p[t, s] = exp(scores[s] - top) / total }
            sums.append(top + log(total))
        }
        (self.q, self.k, v) = (q, k, part(2))
        (self.p, logSumExp, self.scale) = (p, sums, scale)
    }

    var output: Matrix { p * v }

    /// Gradients of q, k and v: the softmax's Jacobian, row by row.
    func backward(_ dO: Matrix) -> (Matrix, Matrix, Matrix) {
        let dp = dO * v.transposed
        let ds = Matrix(rows: p.rows, columns: p.rows) { t, s in
            p[t, s] * (dp[t, s] - inner(p.row(t), dp.row(t))) * scale
        }
        return (ds * k, ds.transposed * q, p.transposed * dO)
    }
}

@Suite struct AttentionTests {
    /// Contexts around the query tile of 128.
    private static let cases: [(heads: Int, dimension: Int, context: Int, sequences: Int)] = [
        (1, 2, 1, 1), (1, 2, 2, 0), (3, 2, 5, 3), (1, 7, 63, 2), (2, 16, 64, 1), (1, 4, 127, 2), (2, 6, 128, 1),
        (1, 3, 129, 2), (1, 8, 255, 1), (2, 2, 257, 1), (1, 64, 130, 1),
    ]

    @Test(arguments: cases.indices) func forwardAndBackward(index: Int) {
        let (heads, dimension, context, sequences) = Self.cases[index]
        let d = heads * dimension, tokens = sequences * context
        let shape = AttentionShape(heads: heads, headDimension: dimension, context: context)
        let qkv = random(tokens, 3 * d, seed: 1, scale: 2), dO = random(tokens, d, seed: 2)
        // Scratch for longer sequences than these, full of numbers: a kernel must not read what it did not write.
        let roomy = AttentionShape(heads: heads, headDimension: dimension, context: context + 9)
        let found = sameOnAnyThreads { workers in
            let o = Tensor(rows: tokens, columns: d), sums = Tensor(rows: heads, columns: tokens)
            let dQKV = random(tokens, 3 * d, seed: 3), scratch = roomy.scratch(workers: workers.count)
            for each in scratch { fill(each) }
            attention(qkv, shape: shape, into: o, logSumExp: sums, scratch: scratch, on: workers)
            for each in scratch { fill(each) }
            attentionBackward(
                dO, qkv: qkv, o: o, logSumExp: sums, shape: shape, into: dQKV, scratch: scratch, on: workers)
            return [o, sums, dQKV]
        }
        let worst = expectClose(found, oracle(qkv, dO, heads, dimension, context), within: 3e-6)
        print("attention \(heads) × \(dimension), context \(context): largest deviation \(worst)")
    }

    private func fill(_ scratch: Tensor) {
        for r in 0..<scratch.rows {
            for c in 0..<scratch.columns { scratch[r, c] = .nan }
        }
    }

    private func oracle(_ qkv: Tensor, _ dO: Tensor, _ heads: Int, _ dimension: Int, _ context: Int) -> [Matrix] {
        let d = heads * dimension, tokens = qkv.rows, outer = Matrix(dO)
        var o = Matrix(rows: tokens, columns: d), sums = Matrix(rows: heads, columns: tokens)
        var dQKV = Matrix(rows: tokens, columns: 3 * d)
        for first in stride(from: 0, to: tokens, by: context) {
            for h in 0..<heads {
                let column = h * dimension
                let head = Head(
                    Matrix(qkv), firstToken: first, context: context, firstColumn: column, dimension: dimension,
                    dModel: d)
                let output = head.output
                let gradients = head.backward(
                    Matrix(rows: context, columns: dimension) { outer[first + $0, column + $1] })
                for t in 0..<context {
                    sums[h, first + t] = head.logSumExp[t]
                    for c in 0..<dimension {
                        o[first + t, column + c] = output[t, c]
                        dQKV[first + t, column + c] = gradients.0[t, c]
                        dQKV[first + t, d + column + c] = gradients.1[t, c]
                        dQKV[first + t, 2 * d + column + c] = gradients.2[t, c]
                    }
                }
            }
        }
        return [o, sums, dQKV]
    }

    /// The oracle's own Jacobian against central differences of its forward pass, on a size where that is cheap.
    @Test func theOracleAgreesWithCentralDifferences() {
        let (context, dimension) = (5, 3)
        let qkv = random(context, 3 * dimension, seed: 4, scale: 2), dO = random(context, dimension, seed: 5)
        let analytic = oracle(qkv, dO, 1, dimension, context)[2]
        let flat = Matrix(qkv).values
        for i in flat.indices {
            let numeric = slope(flat, i) { values in
                let moved = Matrix(rows: context, columns: 3 * dimension) { values[$0 * 3 * dimension + $1] }
                let head = Head(
                    moved, firstToken: 0, context: context, firstColumn: 0, dimension: dimension, dModel: dimension)
                return inner(head.output.values, Matrix(dO).values)
            }
            #expect(abs(numeric - analytic.values[i]) <= 1e-8)
        }
    }
}
