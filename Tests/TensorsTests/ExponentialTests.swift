import Platform
import Tensors
import Testing

@Suite struct ExponentialTests {
    /// Every 307th float of the range, from the smallest normal number on, of both signs: 7 million of them.
    @Test func isRightInTheLastPlace() {
        var worst = 0.0, at: Float = 0
        for (first, last) in [(Float.leastNormalMagnitude, Float(88.3)), (-Float.leastNormalMagnitude, Float(-87.3))] {
            for pattern in stride(from: first.bitPattern, through: last.bitPattern, by: 307) {
                let x = Float(bitPattern: pattern)
                let error = unitsInTheLastPlace(exponential(x), exp(Double(x)))
                if error > worst { (worst, at) = (error, x) }
            }
        }
        print("exponential: largest error \(worst) units in the last place at \(at)")
        #expect(worst <= 1.3)
    }

    /// Of a float of the exact value's size. In doubles, because a spacing below 2^−126 may be flushed to zero.
    private func unitsInTheLastPlace(_ found: Float, _ exact: Double) -> Double {
        abs(Double(found) - exact) / Double(sign: .plus, exponent: exact.exponent - 23, significand: 1)
    }

    @Test func exactAtZeroAndMonotonousInBetween() {
        #expect(exponential(0) == 1)
        #expect(exponential(-0.0) == 1)
        var before: Float = 0, isRising = true
        for i in -8730...8830 {
            let value = exponential(Float(i) / 100)
            isRising = isRising && value > before
            before = value
        }
        #expect(isRising)
    }

    @Test func saturates() {
        for x in [-87.3, -87.4, -100, -1e30, -Float.greatestFiniteMagnitude, -Float.infinity] as [Float] {
            #expect(exponential(x) == exponential(-87.3), "at \(x)")
        }
        for x in [88.3, 88.4, 100, 1e30, Float.greatestFiniteMagnitude, Float.infinity] as [Float] {
            #expect(exponential(x) == exponential(88.3), "at \(x)")
        }
        #expect(exponential(-87.3) > 0)
        #expect(exponential(88.3).isFinite)
    }

    /// Also NaNs with a payload, whose bits reach the exponent arithmetic.
    @Test func keepsNaN() {
        for payload in [0, 1, 2, 0xFF, 0x100, 0x1FF, 0x3F_FFFF] as [UInt32] {
            for head in [0x7FC0_0000, 0xFFC0_0000, 0x7F80_0000, 0xFF80_0000] as [UInt32] where head << 9 | payload != 0
            {
                #expect(exponential(Float(bitPattern: head | payload)).isNaN, "payload \(payload), sign bits \(head)")
            }
        }
    }
}
