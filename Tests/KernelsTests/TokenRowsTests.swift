import Kernels
import Tensors
import Testing
import Workers

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

    @Test(arguments: [1, 2, 3]) func scatterAndItsBackward(k: Int) {
        for (tokens, d) in Self.shapes {
            let (rowOf, seats) = rows(tokens * k)
            let x = random(tokens, d, seed: 2), dRows = random(seats, d, seed: 3), dx0 = random(tokens, d, seed: 4)
            let found = sameOnAnyThreads { workers in
                let out = random(seats, d, seed: 5), dx = copy(of: dx0)
                scatterToSeats(x, k: k, rowOf: rowOf, into: out, on: workers)
                scatterToSeatsBackward(dRows, k: k, rowOf: rowOf, addingTo: dx, on: workers)
                return [out, dx]
            }
            var out = Matrix(rows: seats, columns: d), dx = Matrix(dx0)
            for i in 0..<tokens * k where rowOf[i] >= 0 {
                for c in 0..<d {
                    out[Int(rowOf[i]), c] = Double(x[i / k, c])
                    dx[i / k, c] += Double(dRows[Int(rowOf[i]), c])
                }
            }
            expectClose(found, [out, dx], within: 3e-7, "\(tokens) × \(d)")
        }
    }

    @Test(arguments: [1, 2, 3]) func combineAndItsBackward(k: Int) {
        var worst = 0.0
        for (tokens, d) in Self.shapes {
            let (rowOf, seats) = rows(tokens * k)
            let answers = random(seats, d, seed: 6), gates = random(1, tokens * k, seed: 7).vector
            let y0 = random(tokens, d, seed: 8), dy = random(tokens, d, seed: 9)
            let found = sameOnAnyThreads { workers in
                let y = copy(of: y0), dAnswers = random(seats, d, seed: 10)
                let dGates = random(1, tokens * k, seed: 11).vector
                combineAnswers(answers, k: k, rowOf: rowOf, gates: gates, addingTo: y, on: workers)
                combineAnswersBackward(
                    dy, answers: answers, k: k, rowOf: rowOf, gates: gates, dAnswers: dAnswers, dGates: dGates,
                    on: workers)
                return [y, dAnswers, asRow(dGates)]
            }
            var y = Matrix(y0), dAnswers = Matrix(rows: seats, columns: d)
            var dGates = Matrix(rows: 1, columns: tokens * k)
            for i in 0..<tokens * k where rowOf[i] >= 0 {
                let row = Int(rowOf[i]), gate = Double(gates[i])
                for c in 0..<d {
                    y[i / k, c] += gate * Double(answers[row, c])
                    dAnswers[row, c] = gate * Double(dy[i / k, c])
                    dGates[0, i] += Double(dy[i / k, c]) * Double(answers[row, c])
                }
            }
            worst = max(worst, expectClose(found, [y, dAnswers, dGates], within: 1e-6, "\(tokens) × \(d)"))
        }
        print("combine k \(k): largest deviation \(worst)")
    }
}
