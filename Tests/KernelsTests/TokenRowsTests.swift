import Kernels
import Tensors
import Testing
import Threading

@Suite struct TokenRowsTests {
    /// Some choices have rows, in an order of their own, some have none.
    private func rows(_ assignments: Int) -> (rowOf: Vector<Int32>, seats: Int) {
        let order = randomIndices(assignments, below: 1 << 20, seed: 1)
        let seated = (0..<assignments).filter { order[$0] % 4 != 0 }.sorted { order[$0] < order[$1] }
        let rowOf = Vector<Int32>(Array(repeating: -1, count: assignments))
        for (row, assignment) in seated.enumerated() { rowOf[assignment] = Int32(row) }
        return (rowOf, seated.count)
    }

    private static let shapes: [(tokens: Int, columns: Int)] = [
        (0, 3), (1, 1), (2, 5), (63, 16), (64, 17), (65, 31), (127, 64), (129, 65), (5, 129), (2, 513),
    ]

    @Test(arguments: [1, 2, 3], Precision.allCases) func scatterAndItsBackward(k: Int, precision: Precision) {
        for (tokens, d) in Self.shapes {
            let (rowOf, seats) = rows(tokens * k)
            let x = random(tokens, d, seed: 2), dx0 = random(tokens, d, seed: 4)
            let dRows = rounded(random(seats, d, seed: 3), to: precision)
            let found = sameOnAnyThreads { workers in
                let out = rounded(random(seats, d, seed: 5), to: precision), dx = copy(of: dx0)
                scatterToSeats(x, k: k, rowOf: rowOf, into: out, on: workers)
                scatterToSeatsBackward(dRows, k: k, rowOf: rowOf, addingTo: dx, on: workers)
                return [out.floats, dx]
            }
            var out = Doubles(rows: seats, columns: d), dx = Doubles(dx0)
            let gradients = Doubles(dRows)
            for i in 0..<tokens * k where rowOf[i] >= 0 {
                for c in 0..<d {
                    out[Int(rowOf[i]), c] = Double(x[i / k, c])
                    dx[i / k, c] += gradients[Int(rowOf[i]), c]
                }
            }
            expectClose([found[0]], [out], within: 0, roundedTo: precision, "\(tokens) × \(d)")
            expectClose([found[1]], [dx], within: 3e-7, "\(tokens) × \(d) \(precision)")
        }
    }

    @Test(arguments: [1, 2, 3], Precision.allCases) func combineAndItsBackward(k: Int, precision: Precision) {
        var worst = 0.0
        for (tokens, d) in Self.shapes {
            let (rowOf, seats) = rows(tokens * k)
            let answers = rounded(random(seats, d, seed: 6), to: precision)
            let gates = random(1, tokens * k, seed: 7).vector
            let y0 = random(tokens, d, seed: 8), dy = random(tokens, d, seed: 9)
            let found = sameOnAnyThreads { workers in
                let y = copy(of: y0), dAnswers = rounded(random(seats, d, seed: 10), to: precision)
                let dGates = random(1, tokens * k, seed: 11).vector
                combineAnswers(answers, k: k, rowOf: rowOf, gates: gates, addingTo: y, on: workers)
                combineAnswersBackward(
                    dy, answers: answers, k: k, rowOf: rowOf, gates: gates, dAnswers: dAnswers, dGates: dGates,
                    on: workers)
                return [y, asRow(dGates), dAnswers.floats]
            }
            var y = Doubles(y0), dAnswers = Doubles(rows: seats, columns: d)
            var dGates = Doubles(rows: 1, columns: tokens * k)
            let given = Doubles(answers)
            for i in 0..<tokens * k where rowOf[i] >= 0 {
                let row = Int(rowOf[i]), gate = Double(gates[i])
                for c in 0..<d {
                    y[i / k, c] += gate * given[row, c]
                    dAnswers[row, c] = gate * Double(dy[i / k, c])
                    dGates[0, i] += Double(dy[i / k, c]) * given[row, c]
                }
            }
            worst = max(
                worst, expectClose(Array(found[..<2]), [y, dGates], within: 1e-6, "\(tokens) × \(d) \(precision)"),
                expectClose([found[2]], [dAnswers], within: 1e-6, roundedTo: precision, "\(tokens) × \(d)"))
        }
        print("combine k \(k) \(precision): largest deviation \(worst) of its bound")
    }
}
