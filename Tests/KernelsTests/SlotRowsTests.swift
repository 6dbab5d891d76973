import Kernels
import Tensors
import Testing
import Threading

@Suite struct TokenRowsTests {
    /// Some choices have rows, in an order of their own, some have none.
    private func rows(_ assignments: Int) -> (sendRow: Vector<Int32>, slots: Int) {
        let order = randomIndices(assignments, below: 1 << 20, seed: 1)
        let slotted = (0..<assignments).filter { order[$0] % 4 != 0 }.sorted { order[$0] < order[$1] }
        let sendRow = Vector<Int32>(Array(repeating: -1, count: assignments))
        for (row, assignment) in slotted.enumerated() { sendRow[assignment] = Int32(row) }
        return (sendRow, slotted.count)
    }

    private static let shapes: [(tokens: Int, columns: Int)] = [
        (0, 3), (1, 1), (2, 5), (63, 16), (64, 17), (65, 31), (127, 64), (129, 65), (5, 129), (2, 513),
    ]

    @Test(arguments: [1, 2, 3], Precision.allCases) func scatterAndItsBackward(k: Int, precision: Precision) {
        for (tokens, d) in Self.shapes {
            let (sendRow, slots) = rows(tokens * k)
            let x = random(tokens, d, seed: 2), dx0 = random(tokens, d, seed: 4)
            let dRows = rounded(random(slots, d, seed: 3), to: precision)
            let found = sameOnAnyThreads { workers in
                let out = rounded(random(slots, d, seed: 5), to: precision), dx = copy(of: dx0)
                scatterToSlots(x, k: k, sendRow: sendRow, into: out, on: workers)
                scatterToSlotsBackward(dRows, k: k, sendRow: sendRow, addingTo: dx, on: workers)
                return [out.floats, dx]
            }
            var out = Doubles(rows: slots, columns: d), dx = Doubles(dx0)
            let gradients = Doubles(dRows)
            for i in 0..<tokens * k where sendRow[i] >= 0 {
                for c in 0..<d {
                    out[Int(sendRow[i]), c] = Double(x[i / k, c])
                    dx[i / k, c] += gradients[Int(sendRow[i]), c]
                }
            }
            expectClose([found[0]], [out], within: 0, roundedTo: precision, "\(tokens) × \(d)")
            expectClose([found[1]], [dx], within: 3e-7, "\(tokens) × \(d) \(precision)")
        }
    }

    @Test(arguments: [1, 2, 3], Precision.allCases) func combineAndItsBackward(k: Int, precision: Precision) {
        var worst = 0.0
        for (tokens, d) in Self.shapes {
            let (sendRow, slots) = rows(tokens * k)
            let expertOutputs = rounded(random(slots, d, seed: 6), to: precision)
            let gates = random(1, tokens * k, seed: 7).vector
            let y0 = random(tokens, d, seed: 8), dy = random(tokens, d, seed: 9)
            let found = sameOnAnyThreads { workers in
                let y = copy(of: y0), dExpertOutputs = rounded(random(slots, d, seed: 10), to: precision)
                let dGates = random(1, tokens * k, seed: 11).vector
                combineExpertOutputs(expertOutputs, k: k, sendRow: sendRow, gates: gates, addingTo: y, on: workers)
                combineExpertOutputsBackward(
                    dy, expertOutputs: expertOutputs, k: k, sendRow: sendRow, gates: gates,
                    dExpertOutputs: dExpertOutputs, dGates: dGates,
                    on: workers)
                return [y, asRow(dGates), dExpertOutputs.floats]
            }
            var y = Doubles(y0), dExpertOutputs = Doubles(rows: slots, columns: d)
            var dGates = Doubles(rows: 1, columns: tokens * k)
            let given = Doubles(expertOutputs)
            for i in 0..<tokens * k where sendRow[i] >= 0 {
                let row = Int(sendRow[i]), gate = Double(gates[i])
                for c in 0..<d {
                    y[i / k, c] += gate * given[row, c]
                    dExpertOutputs[row, c] = gate * Double(dy[i / k, c])
                    dGates[0, i] += Double(dy[i / k, c]) * given[row, c]
                }
            }
            worst = max(
                worst, expectClose(Array(found[..<2]), [y, dGates], within: 1e-6, "\(tokens) × \(d) \(precision)"),
                expectClose([found[2]], [dExpertOutputs], within: 1e-6, roundedTo: precision, "\(tokens) × \(d)"))
        }
        print("combine k \(k) \(precision): largest deviation \(worst) of its bound")
    }
}
