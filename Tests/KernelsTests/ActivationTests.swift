import Foundation
import Kernels
import Tensors
import Testing

private func gelu(_ x: Double) -> Double {
    0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
}

@Suite struct ActivationTests {
    /// `f`, its backward, and both in double precision.
    private func check(
        _ precision: Precision, scale: Double, _ forward: (Operand, Operand) -> Void,
        _ backward: (Operand, Operand) -> Void, _ f: (Double) -> Double
    ) {
        for (rows, hidden) in normShapes where hidden < 200 {
            let x = rounded(random(rows, hidden, seed: 1, scale: scale), to: precision)
            let da = rounded(random(rows, hidden, seed: 2), to: precision)
            let a = Operand(precision, rows: rows, columns: hidden), replaced = rounded(x.floats, to: precision)
            forward(x, a)
            backward(da, replaced)
            let (inputs, gradients) = (x.floats, da.floats)
            let expected = [
                Doubles(rows: rows, columns: hidden) { f(Double(inputs[$0, $1])) },
                Doubles(rows: rows, columns: hidden) {
                    Double(gradients[$0, $1]) * slope([Double(inputs[$0, $1])], 0) { f($0[0]) }
                },
            ]
            expectClose(
                [a.floats, replaced.floats], expected, within: 2e-6, roundedTo: precision, "\(rows) × \(hidden)")
        }
    }

    @Test("GELU and its gradient are those of the formula", arguments: Precision.allCases)
    func plainGELU(precision: Precision) {
        check(precision, scale: 6, { Kernels.gelu($0, into: $1) }, { geluBackward($0, replacing: $1) }, gelu)
    }

    @Test("the squared ReLU and its gradient are those of the formula", arguments: Precision.allCases)
    func squared(precision: Precision) {
        check(precision, scale: 3, { squaredReLU($0, into: $1) }, { squaredReLUBackward($0, replacing: $1) }) {
            max($0, 0) * max($0, 0)
        }
    }

    @Test("GeGLU multiplies GELU of the gate by the other half, forward and backward", arguments: Precision.allCases)
    func gated(precision: Precision) {
        for (rows, hidden) in normShapes where hidden < 200 {
            let gateUp = rounded(random(rows, 2 * hidden, seed: 1, scale: 6), to: precision)
            let da = rounded(random(rows, hidden, seed: 2), to: precision)
            let a = Operand(precision, rows: rows, columns: hidden), replaced = rounded(gateUp.floats, to: precision)
            geGLU(gateUp, into: a)
            geGLUBackward(da, replacing: replaced)
            let (x, d) = (gateUp.floats, da.floats)
            let expected = [
                Doubles(rows: rows, columns: hidden) { gelu(Double(x[$0, $1])) * Double(x[$0, hidden + $1]) },
                Doubles(rows: rows, columns: 2 * hidden) { t, i in
                    let gate = Double(x[t, i % hidden]), up = Double(x[t, hidden + i % hidden])
                    let part = i < hidden ? up * slope([gate], 0) { gelu($0[0]) } : gelu(gate)
                    return Double(d[t, i % hidden]) * part
                },
            ]
            expectClose(
                [a.floats, replaced.floats], expected, within: 2e-6, roundedTo: precision, "\(rows) × \(hidden)")
        }
    }

    @Test("inputs so large that exponentials saturate give no NaN, and NaN stays NaN")
    func saturates() {
        let inputs: [Float] = [-1e30, -1000, -30, 30, 1000, 1e15, .nan]
        let x = Tensor(Vector(inputs), rows: 1, columns: 7), a = Tensor(rows: 1, columns: 7)
        let da = Tensor(Vector([Float](repeating: 1, count: 7)), rows: 1, columns: 7)
        for isSquared in [false, true] {
            let gradient = Tensor(Vector(inputs), rows: 1, columns: 7)
            if isSquared {
                squaredReLU(.float32(x), into: .float32(a))
                squaredReLUBackward(.float32(da), replacing: .float32(gradient))
            } else {
                Kernels.gelu(.float32(x), into: .float32(a))
                geluBackward(.float32(da), replacing: .float32(gradient))
            }
            for i in 0..<6 {
                let value = inputs[i], positive = max(value, 0)
                let (expected, slope) = isSquared ? (positive * positive, 2 * positive) : (positive, value > 0 ? 1 : 0)
                #expect(abs(a[0, i] - expected) <= 2e-8, "\(value) gave \(a[0, i])")
                #expect(abs(gradient[0, i] - slope) <= 1e-6, "the gradient at \(value) is \(gradient[0, i])")
            }
            #expect(a[0, 6].isNaN && gradient[0, 6].isNaN)
        }
    }
}
