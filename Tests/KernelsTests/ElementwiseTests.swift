import Kernels
import Tensors
import Testing
import Workers

@Suite struct ElementwiseTests {
    @Test func addCopyClear() {
        for (rows, columns) in normShapes {
            let a = random(rows, columns, seed: 1), b = random(rows, columns, seed: 2)
            let found = sameOnAnyThreads { workers in
                let sum = Tensor(rows: rows, columns: columns), copied = copy(of: b), cleared = copy(of: a)
                let inPlace = copy(of: b)
                add(a, b, into: sum, on: workers)
                add(a, inPlace, into: inPlace, on: workers)
                copyRows(a, into: copied, on: workers)
                clear(cleared, on: workers)
                return [sum, inPlace, copied, cleared]
            }
            let sum = Matrix(a) + Matrix(b)
            expectClose(
                found, [sum, sum, Matrix(a), Matrix(rows: rows, columns: columns)], within: 6e-8, "\(rows) × \(columns)"
            )
        }
    }

    /// Squares of values from 1e-30 on, which float32 could not hold.
    @Test func sumOfSquaresInDoublePrecision() {
        for count in [0, 1, 15, 16, 17, 31, 32, 33, 1000, 65_536] {
            for scale in [1e-30, 1, 1e15] {
                let values = random(1, count, seed: 3, scale: scale)
                let expected = Matrix(values).values.reduce(0) { $0 + $1 * $1 }
                #expect(
                    abs(sumOfSquares(values.vector.span) - expected) <= 1e-13 * expected, "\(count) values of \(scale)")
            }
        }
    }
}
