import Kernels
import Platform
import Tensors
import Testing

private func swish(_ gateUp: [Double]) -> [Double] {
    let hidden = gateUp.count / 2
    return (0..<hidden).map { gateUp[$0] / (1 + exp(-gateUp[$0])) * gateUp[hidden + $0] }
}

@Suite struct SwiGLUTests {
    @Test(arguments: Precision.allCases) func forwardAndBackward(precision: Precision) {
        var worst = 0.0
        for (rows, hidden) in normShapes where hidden < 200 {
            let gateUp = rounded(random(rows, 2 * hidden, seed: 1, scale: 6), to: precision)
            let da = rounded(random(rows, hidden, seed: 2), to: precision)
            let a = Operand(precision, rows: rows, columns: hidden)
            let replaced = rounded(gateUp.floats, to: precision)
            swiGLU(gateUp, into: a)
            swiGLUBackward(da, replacing: replaced)
            let found = [a.floats, replaced.floats]
            let forward = byRow(gateUp.floats, swish)
            let expected = [
                Doubles(rows: rows, columns: hidden) { forward[$0, $1] }, swishGradient(gateUp.floats, da.floats),
            ]
            worst = max(
                worst, expectClose(found, expected, within: 6e-7, roundedTo: precision, "\(rows) × \(hidden)"))
        }
        print("swiGLU \(precision): largest deviation \(worst) of its bound")
    }

    /// Elementwise, so a slope needs one pair and not the whole row.
    private func swishGradient(_ gateUp: Tensor, _ da: Tensor) -> Doubles {
        let hidden = da.columns
        return Doubles(rows: gateUp.rows, columns: 2 * hidden) { t, i in
            let column = i % hidden
            let pair = [Double(gateUp[t, column]), Double(gateUp[t, hidden + column])]
            return Double(da[t, column]) * slope(pair, i / hidden) { swish($0)[0] }
        }
    }

    /// Gates so large that `exp` saturates: silu is the identity on the right, nothing on the left, and never NaN.
    @Test func saturatesWithoutNaN() {
        let gates: [Float] = [-1e30, -1000, -100, -88, 88, 100, 1000, 1e30]
        let gateUp = Tensor(rows: 1, columns: 16), a = Tensor(rows: 1, columns: 8), da = Tensor(rows: 1, columns: 8)
        for (i, gate) in gates.enumerated() {
            gateUp[0, i] = gate
            gateUp[0, 8 + i] = 2
            da[0, i] = 1
        }
        swiGLU(.float32(gateUp), into: .float32(a))
        for (i, gate) in gates.enumerated() {
            // e^−88 is 6e-39, and no gate is so large that 1e30 of it counts.
            #expect(gate > 0 ? a[0, i] == 2 * gate : abs(a[0, i]) <= 2e-8, "silu(\(gate)) gave \(a[0, i])")
        }
        swiGLUBackward(.float32(da), replacing: .float32(gateUp))
        for (i, gate) in gates.enumerated() {
            #expect(abs(gateUp[0, i] - (gate > 0 ? 2 : 0)) <= 1e-6, "gradient at \(gate) is \(gateUp[0, i])")
        }
    }
}
