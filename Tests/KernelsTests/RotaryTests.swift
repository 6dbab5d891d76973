import Kernels
import Platform
import Tensors
import Testing
import Threading

/// `10000^(−2i/n)`
func rotaryFrequencies(_ count: Int) -> [Double] {
    (0..<count / 2).map { pow(10_000, -2 * Double($0) / Double(count)) }
}

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

    @Test("of a head's columns the first turn, multiplied by the magnitude, and the others stay", arguments: precisions)
    func partOfAHead(precision: Precision) {
        let table = RotaryTable(context: 9, headSize: 10, frequencies: rotaryFrequencies(4), magnitude: 1.5)
        let x = rounded(random(9, 20, seed: 2), to: precision), y = rounded(x.floats, to: precision)
        table.rotate(y, first: 0, context: 9)
        let exact = Doubles(x)
        let expected = Doubles(rows: 9, columns: 20) { t, column in
            let head = column / 10 * 10, place = column % 10
            guard place < 4 else { return exact[t, column] }
            let angle = Double(t) * pow(10_000, -2 * Double(place % 2) / 4), sign = place < 2 ? -1.0 : 1.0
            let partner = exact[t, head + (place + 2) % 4]
            return 1.5 * (exact[t, column] * cos(angle) + sign * partner * sin(angle))
        }
        expectClose([y.floats], [expected], within: 3e-7, roundedTo: precision)
    }

    @Test("positions count from the starts of documents", arguments: precisions)
    func documents(precision: Precision) {
        let table = RotaryTable(context: 9, headSize: 6, frequencies: rotaryFrequencies(6))
        let starts: [Int32] = [0, 0, 2, 2, 2, 2, 6], x = rounded(random(14, 12, seed: 3), to: precision)
        let y = rounded(x.floats, to: precision), z = rounded(x.floats, to: precision)
        table.rotate(y, first: 0, context: 7, starts: Vector(starts + [0, 1, 1, 3, 3, 3, 3]))
        // Document by document, each a sequence of its own.
        for document in [0..<2, 2..<6, 6..<7, 7..<8, 8..<10, 10..<14] {
            table.rotate(z.rows(document), first: 0, context: document.count)
        }
        #expect(y.floats.vector.array == z.floats.vector.array)
        table.rotate(y.rows(3..<6), first: 3, context: 7, starts: Vector(starts[3..<6]), inverse: true)
        // In bfloat16 both ways round.
        expectClose([y.rows(3..<6).floats], [Doubles(x.rows(3..<6))], within: 3e-7 + 4 * precision.halfUnit)
    }

    /// Turns queries and keys and not the values; backwards is the transpose, which for a rotation is its inverse.
    @Test(arguments: Precision.allCases) func forwardAndBack(precision: Precision) {
        for (heads, dimension, context, sequences) in Self.shapes {
            // A table for longer sequences than these.
            let table = RotaryTable(
                context: context + 3, headSize: dimension, frequencies: rotaryFrequencies(dimension))
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
