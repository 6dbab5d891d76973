import Kernels
import Tensors
import Testing
import Threading

@Suite struct ElementwiseTests {
    @Test func copyAndClear() {
        for (rows, columns) in normShapes {
            let a = random(rows, columns, seed: 1), b = random(rows, columns, seed: 2)
            let found = sameOnAnyThreads { workers in
                let copied = copy(of: b), cleared = copy(of: a)
                copyRows(a, into: copied, on: workers)
                clear(cleared, on: workers)
                return [copied, cleared]
            }
            #expect(Doubles(found[0]).values == Doubles(a).values, "\(rows) × \(columns)")
            #expect(Doubles(found[1]).values.allSatisfy { $0 == 0 }, "\(rows) × \(columns)")
        }
    }

    /// A factor in float32 is the matrix itself, in bfloat16 its copy, in memory that may have more rows.
    @Test func operandsOfProducts() {
        for (rows, columns) in normShapes {
            let x = random(rows, columns, seed: 4)
            let found = sameOnAnyThreads { workers in
                let memory = rounded(random(rows + 3, columns, seed: 5), to: .bfloat16)
                let factor = operand(x, roundedInto: memory, on: workers)
                #expect(factor.precision == .bfloat16 && factor.rows == rows)
                return [factor.floats, memory.rows(rows..<rows + 3).floats]
            }
            #expect(Doubles(found[0]).values == Doubles(rounded(x, to: .bfloat16)).values, "\(rows) × \(columns)")
            let beyond = random(rows + 3, columns, seed: 5).rows(rows..<rows + 3)
            #expect(Doubles(found[1]).values == Doubles(rounded(beyond, to: .bfloat16)).values)
            let itself = operand(x, roundedInto: Operand(.float32, rows: 0, columns: 0), on: ThreadPool(count: 1))
            unsafe #expect(itself.tensor.pointer == x.pointer)
        }
    }

    /// Squares of values from 1e-30 on, which float32 could not hold.
    @Test func sumOfSquaresInDoublePrecision() {
        for count in [0, 1, 15, 16, 17, 31, 32, 33, 1000, 65_536] {
            for scale in [1e-30, 1, 1e15] {
                let values = random(1, count, seed: 3, scale: scale)
                let expected = Doubles(values).values.reduce(0) { $0 + $1 * $1 }
                #expect(
                    abs(sumOfSquares(values.vector.span) - expected) <= 1e-13 * expected, "\(count) values of \(scale)")
            }
        }
    }
}
