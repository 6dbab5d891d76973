import Kernels
import Platform
import Tensors
import Testing
import Threading

@Suite struct RotaryTests {
    private static let shapes: [(heads: Int, headSize: Int, context: Int, sequences: Int)] = [
        (1, 2, 1, 1), (1, 2, 5, 3), (3, 4, 63, 2), (2, 6, 64, 1), (1, 34, 65, 2), (2, 64, 129, 1), (1, 2, 7, 0),
    ]

    private func turned(_ x: Tensor, _ heads: Int, _ dimension: Int, _ context: Int, sign: Double) -> Doubles {
        var y = Doubles(x)
        let half = dimension / 2
        for t in 0..<x.rows {
            for head in 0..<2 * heads {
                for i in 0..<half {
                    let angle = Double(t % context) * pow(10_000, -2 * Double(i) / Double(dimension))
                    let first = head * dimension + i, a = Double(x[t, first]), b = Double(x[t, first + half])
                    y[t, first] = a * cos(angle) - sign * b * sin(angle)
                    y[t, first + half] = sign * a * sin(angle) + b * cos(angle)
                }
            }
        }
        return y
    }

    /// Turns queries and keys and not the values; backwards is the transpose, which for a rotation is its inverse.
    @Test(arguments: Precision.allCases) func forwardAndBack(precision: Precision) {
        for (heads, dimension, context, sequences) in Self.shapes {
            // A table for longer sequences than these.
            let table = RotaryTable(context: context + 3, headSize: dimension, base: 10_000)
            let x = rounded(random(sequences * context, 3 * heads * dimension, seed: 1), to: precision).floats
            for inverse in [false, true] {
                let found = sameOnAnyThreads { workers in
                    let y = rounded(x, to: precision)
                    workers.run(over: y.rows, tile: 5) { rows in
                        table.rotate(
                            y.rows(rows).columns(0..<2 * heads * dimension), first: rows.lowerBound, context: context,
                            inverse: inverse)
                    }
                    return [y.floats]
                }
                let expected = turned(x, heads, dimension, context, sign: inverse ? -1 : 1)
                expectClose(
                    found, [expected], within: 3e-7, roundedTo: precision,
                    "\(heads) heads of \(dimension), context \(context)")
            }
        }
    }
}
