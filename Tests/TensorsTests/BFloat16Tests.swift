import Tensors
import Testing

@Suite struct BFloat16Tests {
    private static let patterns = (0...UInt16.max)

    @Test func everyPatternGoesThroughFloatAndBack() {
        let wrong = Self.patterns.filter { bits in
            let element = BFloat16(bits: bits), value = element.float, back = BFloat16(rounding: value)
            let isBack = value.isNaN ? back.float.isNaN && back.float.sign == value.sign : back == element
            return value.bitPattern != UInt32(bits) << 16 || !isBack
        }
        #expect(wrong.isEmpty)
    }

    /// Every finite element, its upper neighbor, and floats around the middle: the nearer one, and in the middle the one
    /// whose pattern is even. Beyond the largest element the neighbor is infinity, at the place of the next power of two.
    @Test func roundsToTheNearestAndTiesToEven() {
        var wrong: [Float] = []
        for bits in Self.patterns where BFloat16(bits: bits).float.isFinite {
            let below = UInt32(bits) << 16
            for (offset, expected) in [
                (0, bits), (1, bits), (0x7FFF, bits), (0x8000, bits % 2 == 0 ? bits : bits + 1), (0x8001, bits + 1),
                (0xFFFF, bits + 1),
            ] as [(UInt32, UInt16)] {
                let value = Float(bitPattern: below + offset)
                if BFloat16(rounding: value).bits != expected { wrong.append(value) }
            }
        }
        #expect(wrong.isEmpty)
    }

    /// The same for normal floats anywhere, by distances in double precision.
    @Test func isTheNearestOfBothNeighbors() {
        var wrong: [Float] = []
        for pattern in stride(from: UInt32(0x0080_0000), to: 0x7F7F_0000, by: 40_503) {
            for value in [Float(bitPattern: pattern), -Float(bitPattern: pattern)] {
                let found = abs(Double(BFloat16(rounding: value).float) - Double(value))
                let cut = UInt16(value.bitPattern >> 16)
                for neighbor in [cut, cut + 1]
                where !(found <= abs(Double(BFloat16(bits: neighbor).float) - Double(value))) { wrong.append(value) }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func notNumbersInfinitiesAndOverflow() {
        // NaN whose upper half alone would be infinity, quiet ones, and ones that an added half would carry away.
        for bits: UInt32 in [0x7F80_0001, 0x7F80_FFFF, 0x7FC0_0000, 0x7FFF_FFFF, 0x7FBF_FFFF] {
            for sign: UInt32 in [0, 0x8000_0000] {
                let found = BFloat16(rounding: Float(bitPattern: bits | sign)).float
                #expect(found.isNaN && found.bitPattern & 0x8000_0000 == sign, "pattern \(bits | sign)")
            }
        }
        #expect(BFloat16(rounding: .infinity).float == .infinity)
        #expect(BFloat16(rounding: -.infinity).float == -.infinity)
        let largest = BFloat16(bits: 0x7F7F).float
        #expect(BFloat16(rounding: .greatestFiniteMagnitude).float == .infinity)
        #expect(BFloat16(rounding: -.greatestFiniteMagnitude).float == -.infinity)
        #expect(BFloat16(rounding: Float(bitPattern: 0x7F7F_7FFF)).float == largest)
    }

    @Test func subnormalsAndZeros() {
        #expect(BFloat16(rounding: 0).bits == 0)
        #expect(BFloat16(rounding: -0.0).bits == 0x8000)
        #expect(BFloat16(rounding: Float(bitPattern: 0x0000_8000)).bits == 0, "half of the smallest, to even")
        #expect(BFloat16(rounding: Float(bitPattern: 0x0000_8001)).bits == 1)
        #expect(BFloat16(rounding: Float(bitPattern: 0x007F_FFFF)).bits == 0x80, "the largest subnormal float")
    }

    /// Sixteen at a time from a span, at any place, are the elements one by one.
    @Test func sixteenAtATime() {
        let narrow = Matrix<BFloat16>(rows: 1, columns: 40), wide = Matrix<Float>(rows: 1, columns: 40)
        for i in 0..<40 {
            narrow[0, i] = BFloat16(bits: UInt16(truncatingIfNeeded: 0x3F80 + 977 * i))
            wide[0, i] = Float(i) + 0.25
        }
        for start in 0...24 {
            let floats = wide.row(0).sixteen(at: start), rounded = narrow.row(0).sixteen(at: start)
            for lane in 0..<16 {
                #expect(floats[lane] == wide[0, start + lane])
                #expect(rounded[lane].bitPattern == narrow[0, start + lane].float.bitPattern)
            }
        }
    }
}
