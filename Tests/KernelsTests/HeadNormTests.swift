import Kernels
import Tensors
import Testing

/// Norms of groups of columns against their definition in double precision, and their gradients against its derivative.
@Suite struct HeadNormTests {
    private static let epsilon = 1e-5
    private static let shapes = [(1, 1, 2), (3, 1, 5), (5, 3, 4), (65, 2, 33), (300, 4, 16)]

    @Test(
        "each group of columns is normalized for itself, forward and backward", arguments: shapes, precisions)
    func forwardAndBackward(shape: (rows: Int, groups: Int, size: Int), precision: Precision) {
        let (rows, groups, size) = shape, width = groups * size
        let x = rounded(random(rows, width, seed: 1, scale: 2), to: precision), w = random(1, size, seed: 2)
        let dy = rounded(random(rows, width, seed: 3), to: precision), start = random(1, size, seed: 4)
        let found = sameOnAnyThreads { workers in
            let y = rounded(x.floats, to: precision), saved = rounded(random(rows, width, seed: 5), to: precision)
            let reciprocals = random(rows, groups, seed: 6), parts = random(partialSumRows(tokens: rows), size, seed: 7)
            headNorm(y, weight: w, epsilon: Float(Self.epsilon), saving: saved, reciprocals: reciprocals)
            let dx = rounded(dy.floats, to: precision), dw = random(1, size, seed: 8), sum = copy(of: start)
            for (target, adding) in [(dw, false), (sum, true)] {
                headNormWeightGradient(
                    dy, x: saved, reciprocals: reciprocals, into: target, adding: adding, parts: parts, on: workers)
            }
            headNormBackward(replacing: dx, x: saved, weight: w, reciprocals: reciprocals, on: workers)
            return [saved.floats, y.floats, dx.floats, dw, sum]
        }
        let expected = oracle(Doubles(x), Doubles(w).values, Doubles(dy), groups: groups)
        expectClose([found[0]], [Doubles(x)], within: 0)
        expectClose([found[1], found[2]], [expected.y, expected.dx], within: 4e-6, roundedTo: precision)
        expectClose([found[3], found[4]], [expected.dw, Doubles(start) + expected.dw], within: 2e-5)
    }

    private func oracle(
        _ x: Doubles, _ w: [Double], _ dy: Doubles, groups: Int
    ) -> (y: Doubles, dx: Doubles, dw: Doubles) {
        let size = w.count
        var y = Doubles(rows: x.rows, columns: x.columns), dx = y, dw = Doubles(rows: 1, columns: size)
        for t in 0..<x.rows {
            for group in 0..<groups {
                let input = (0..<size).map { x[t, group * size + $0] }
                let gradient = (0..<size).map { dy[t, group * size + $0] }
                let r = 1 / (inner(input, input) / Double(size) + Self.epsilon).squareRoot()
                // dy/dx of x·r·w: r·w on the diagonal, −x·w·r³·x/size everywhere.
                let weighted = (0..<size).reduce(0) { $0 + gradient[$1] * w[$1] * input[$1] }
                for i in 0..<size {
                    y[t, group * size + i] = input[i] * r * w[i]
                    dx[t, group * size + i] = gradient[i] * w[i] * r - weighted * r * r * r * input[i] / Double(size)
                    dw[0, i] += gradient[i] * input[i] * r
                }
            }
        }
        return (y, dx, dw)
    }
}
