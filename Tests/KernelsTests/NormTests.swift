import Kernels
import Tensors
import Testing
import Threading

/// Shapes around the row tile (64), the column tile (64) and the vectors of the sums (16, 32, 64), with 0 rows and size 1.
let normShapes: [(rows: Int, columns: Int)] = [
    (0, 5), (1, 1), (1, 2), (3, 15), (2, 16), (5, 17), (63, 31), (64, 32), (65, 33), (127, 63), (128, 64), (129, 65),
    (2, 127), (3, 128), (1, 129), (2, 511), (1, 512), (2, 513),
]

private let epsilon: Float = 1e-5

private func rms(_ x: [Double], _ w: [Double]) -> [Double] {
    let r = 1 / (inner(x, x) / Double(x.count) + Double(epsilon)).squareRoot()
    return x.indices.map { x[$0] * r * w[$0] }
}

private func layer(_ x: [Double], _ w: [Double], _ b: [Double]) -> [Double] {
    let d = Double(x.count), mean = x.reduce(0, +) / d
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / d
    let r = 1 / (variance + Double(epsilon)).squareRoot()
    return x.indices.map { (x[$0] - mean) * r * w[$0] + b[$0] }
}

/// Norms against their definitions in double precision; gradients against central differences of those definitions.
///
/// A row's sums of n float32 terms err by a few times 2^−24·√n; 2e-6 of the largest is ten times what is seen.
@Suite struct NormTests {
    @Test(arguments: Precision.allCases) func rmsNormForward(precision: Precision) {
        var worst = 0.0
        for (rows, d) in normShapes {
            let x = random(rows, d, seed: 1, scale: 3), w = random(1, d, seed: 2)
            let found = sameOnAnyThreads(
                { workers in
                    let y = Operand(precision, rows: rows, columns: d), r = Vector<Float>(count: rows)
                    rmsNorm(x, weight: w, epsilon: epsilon, into: y, reciprocal: r, on: workers)
                    return [y.floats]
                }, "\(rows) × \(d)")
            let expected = byRow(x) { rms($0, Doubles(w).values) }
            worst = max(
                worst, expectClose(found, [expected], within: 1e-6, roundedTo: precision, "\(rows) × \(d)"))
        }
        print("rmsNorm \(precision): largest deviation \(worst) of its bound")
    }

    @Test func rmsNormGradients() {
        var worst = 0.0
        for (rows, d) in normShapes where d < 200 {
            let x = random(rows, d, seed: 3, scale: 3), w = random(1, d, seed: 4), dy = random(rows, d, seed: 5)
            let dx0 = random(rows, d, seed: 6), dw0 = random(1, d, seed: 7)
            let found = sameOnAnyThreads(
                { workers in
                    let y = Tensor(rows: rows, columns: d), r = Vector<Float>(count: rows)
                    let dx = copy(of: dx0), dw = random(1, d, seed: 8), added = copy(of: dw0)
                    let parts = random(partialSumRows(tokens: rows), d, seed: 23)
                    rmsNorm(x, weight: w, epsilon: epsilon, into: .float32(y), reciprocal: r, on: workers)
                    rmsNormBackward(dy, x: x, weight: w, reciprocal: r, addingTo: dx, on: workers)
                    rmsNormWeightGradient(dy, x: x, reciprocal: r, into: dw, adding: false, parts: parts, on: workers)
                    rmsNormWeightGradient(dy, x: x, reciprocal: r, into: added, adding: true, parts: parts, on: workers)
                    return [dx, dw, added]
                }, "\(rows) × \(d)")
            let weights = Doubles(w).values
            let dx = gradient(x, dy) { rms($0, weights) }
            let dw = weightGradient(x, dy) { rms($0, $1) }
            let expected = [Doubles(dx0) + dx, dw, Doubles(dw0) + dw]
            worst = max(worst, expectClose(found, expected, within: 2e-6, "\(rows) × \(d)"))
        }
        print("rmsNorm gradients: largest deviation \(worst) of its bound")
    }

    @Test(arguments: Precision.allCases) func layerNormForward(precision: Precision) {
        var worst = 0.0
        for (rows, d) in normShapes {
            let x = random(rows, d, seed: 9, scale: 3), w = random(1, d, seed: 10), b = random(1, d, seed: 11)
            let found = sameOnAnyThreads(
                { workers in
                    let y = Operand(precision, rows: rows, columns: d), mean = Vector<Float>(count: rows),
                        r = Vector<Float>(count: rows)
                    layerNorm(
                        x, weight: w, bias: b, epsilon: epsilon, into: y, mean: mean, reciprocal: r, on: workers)
                    return [y.floats]
                }, "\(rows) × \(d)")
            let expected = byRow(x) { layer($0, Doubles(w).values, Doubles(b).values) }
            worst = max(
                worst, expectClose(found, [expected], within: 2e-6, roundedTo: precision, "\(rows) × \(d)"))
        }
        print("layerNorm \(precision): largest deviation \(worst) of its bound")
    }

    /// Rows far from zero, where a variance of squares would lose everything.
    @Test func layerNormOfRowsFarFromZero() {
        let x = random(5, 65, seed: 12), w = random(1, 65, seed: 13), b = random(1, 65, seed: 14)
        for t in 0..<5 {
            for i in 0..<65 { x[t, i] += 1000 }
        }
        let y = Tensor(rows: 5, columns: 65), mean = Vector<Float>(count: 5), r = Vector<Float>(count: 5)
        layerNorm(
            x, weight: w, bias: b, epsilon: epsilon, into: .float32(y), mean: mean, reciprocal: r,
            on: ThreadPool(count: 1)
        )
        // The mean itself is a float near 1000: half of its spacing, 3e-5, moves every result.
        expectClose([y], [byRow(x) { layer($0, Doubles(w).values, Doubles(b).values) }], within: 1e-4)
    }

    @Test func layerNormGradients() {
        var worst = 0.0
        // One column has no gradient: the output is the bias whatever goes in.
        for (rows, d) in normShapes where d > 2 && d < 200 {
            let x = random(rows, d, seed: 15, scale: 3), w = random(1, d, seed: 16), b = random(1, d, seed: 17)
            let dy = random(rows, d, seed: 18), dx0 = random(rows, d, seed: 19), dw0 = random(1, d, seed: 20)
            let found = sameOnAnyThreads(
                { workers in
                    let y = Tensor(rows: rows, columns: d), mean = Vector<Float>(count: rows),
                        r = Vector<Float>(count: rows)
                    let dx = copy(of: dx0), dw = copy(of: dw0), over = random(1, d, seed: 21),
                        db = random(1, d, seed: 22)
                    let dbAdded = copy(of: dw0), parts = random(partialSumRows(tokens: rows), d, seed: 24)
                    layerNorm(
                        x, weight: w, bias: b, epsilon: epsilon, into: .float32(y), mean: mean, reciprocal: r,
                        on: workers)
                    layerNormBackward(dy, x: x, weight: w, mean: mean, reciprocal: r, addingTo: dx, on: workers)
                    layerNormWeightGradient(
                        dy, x: x, mean: mean, reciprocal: r, into: dw, adding: true, parts: parts, on: workers)
                    layerNormWeightGradient(
                        dy, x: x, mean: mean, reciprocal: r, into: over, adding: false, parts: parts, on: workers)
                    columnSums(.float32(dy), into: db, adding: false, parts: parts, on: workers)
                    columnSums(.float32(dy), into: dbAdded, adding: true, parts: parts, on: workers)
                    return [dx, dw, over, db, dbAdded]
                }, "\(rows) × \(d)")
            let weights = Doubles(w).values, bias = Doubles(b).values
            let dx = gradient(x, dy) { layer($0, weights, bias) }
            let dw = weightGradient(x, dy) { layer($0, $1, bias) }
            let db = Doubles(rows: 1, columns: d) { _, i in (0..<rows).reduce(0) { $0 + Double(dy[$1, i]) } }
            let expected = [Doubles(dx0) + dx, Doubles(dw0) + dw, dw, db, Doubles(dw0) + db]
            worst = max(worst, expectClose(found, expected, within: 4e-6, "\(rows) × \(d)"))
        }
        print("layerNorm gradients: largest deviation \(worst) of its bound")
    }
}

/// `f` of every row.
func byRow(_ x: Tensor, _ f: ([Double]) -> [Double]) -> Doubles {
    let x = Doubles(x)
    let rows = (0..<x.rows).map { f(x.row($0)) }
    return Doubles(rows: x.rows, columns: rows.first?.count ?? x.columns) { rows[$0][$1] }
}

/// `∂(dy·f(x))/∂x` row by row.
func gradient(_ x: Tensor, _ dy: Tensor, _ f: ([Double]) -> [Double]) -> Doubles {
    let inputs = Doubles(x), outer = Doubles(dy)
    return Doubles(rows: x.rows, columns: x.columns) { t, i in
        slope(inputs.row(t), i) { inner(f($0), outer.row(t)) }
    }
}

/// `Σ_t ∂(dy_t·f(x_t, w))/∂w`, for an `f` that is linear in w.
private func weightGradient(_ x: Tensor, _ dy: Tensor, _ f: ([Double], [Double]) -> [Double]) -> Doubles {
    let inputs = Doubles(x), outer = Doubles(dy), d = x.columns
    let zero = [Double](repeating: 0, count: d), one = [Double](repeating: 1, count: d)
    var sums = Doubles(rows: 1, columns: d)
    for t in 0..<x.rows {
        let below = f(inputs.row(t), zero), above = f(inputs.row(t), one)
        for i in 0..<d { sums[0, i] += (above[i] - below[i]) * outer[t, i] }
    }
    return sums
}
