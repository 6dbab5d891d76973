import Kernels
import Tensors
import Testing

@Suite struct BiasTests {
    @Test(
        "a bias is added to every row, and its gradient is the sum of rows", arguments: [(1, 1), (3, 5), (700, 33)],
        precisions)
    func forwardAndBackward(shape: (rows: Int, columns: Int), precision: Precision) {
        let (rows, columns) = shape
        let x = rounded(random(rows, columns, seed: 1), to: precision), bias = random(1, columns, seed: 2)
        let start = random(1, columns, seed: 3)
        let found = sameOnAnyThreads { workers in
            let y = rounded(x.floats, to: precision), db = random(1, columns, seed: 4), sum = copy(of: start)
            let parts = random(partialSumRows(tokens: rows), columns, seed: 5)
            addBias(bias, to: y)
            columnSums(x, into: db, adding: false, parts: parts, on: workers)
            columnSums(x, into: sum, adding: true, parts: parts, on: workers)
            return [y.floats, db, sum]
        }
        let exact = Doubles(x)
        let sums = Doubles(rows: 1, columns: columns) { _, c in (0..<rows).reduce(0) { $0 + exact[$1, c] } }
        let y = Doubles(rows: rows, columns: columns) { exact[$0, $1] + Double(bias[0, $1]) }
        expectClose([found[0]], [y], within: 1e-6, roundedTo: precision)
        expectClose(Array(found.dropFirst()), [sums, Doubles(start) + sums], within: 1e-5)
    }
}
