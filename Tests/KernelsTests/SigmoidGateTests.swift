import Foundation
import Kernels
import Tensors
import Testing

@Suite struct SigmoidGateTests {
    @Test(
        "rows are added through their gates, forward and backward, as naive loops do on any number of threads",
        arguments: [(0, 3), (1, 1), (3, 7), (65, 16), (200, 33)], Precision.allCases)
    func isTheNaiveLoop(shape: (tokens: Int, columns: Int), precision: Precision) {
        let (tokens, d) = shape
        let x = rounded(random(tokens, d, seed: 1), to: precision), logits = random(tokens, 1, seed: 2)
        let y0 = random(tokens, d, seed: 3), dy = random(tokens, d, seed: 4)
        let found = sameOnAnyThreads { workers in
            let y = copy(of: y0), gates = copy(of: logits), dLogits = Tensor(rows: tokens, columns: 1)
            let dx = Operand(precision, rows: tokens, columns: d)
            addGated(x, logits: gates, to: y, on: workers)
            addGatedBackward(dy, x, gates: gates, into: dx, dLogits: dLogits, on: workers)
            return [y, dLogits, dx.floats]
        }
        var y = Doubles(y0), dx = Doubles(rows: tokens, columns: d), dLogits = Doubles(rows: tokens, columns: 1)
        let rows = Doubles(x), gradients = Doubles(dy)
        for t in 0..<tokens {
            let gate = 1 / (1 + exp(-Double(logits[t, 0])))
            for c in 0..<d {
                y[t, c] += gate * rows[t, c]
                dx[t, c] = gate * gradients[t, c]
                dLogits[t, 0] += gradients[t, c] * rows[t, c] * gate * (1 - gate)
            }
        }
        expectClose([found[0], found[1]], [y, dLogits], within: 1e-5, "\(tokens) × \(d) \(precision)")
        expectClose([found[2]], [dx], within: 1e-6, roundedTo: precision, "\(tokens) × \(d) \(precision)")
    }

    @Test("gates of large logits are 0 and 1 and have no gradient")
    func saturated() {
        let x = Tensor(Vector<Float>([2, 2]), rows: 2, columns: 1), y = Tensor(rows: 2, columns: 1)
        let gates = Tensor(Vector<Float>([-500, 500]), rows: 2, columns: 1)
        let dx = Tensor(rows: 2, columns: 1), dLogits = Tensor(rows: 2, columns: 1)
        _ = sameOnAnyThreads { workers in
            let opened = copy(of: gates)
            y.fill(with: 0)
            addGated(.float32(x), logits: opened, to: y, on: workers)
            addGatedBackward(x, .float32(x), gates: opened, into: .float32(dx), dLogits: dLogits, on: workers)
            return [y, dLogits, dx]
        }
        #expect(y[0, 0] < 1e-37 && y[1, 0] == 2 && dLogits[1, 0] == 0 && abs(dLogits[0, 0]) < 1e-36)
    }
}
