// Sums across micro-batches in 64-bit fixed point: integer addition is associative, so any order and any grouping of
// micro-batches over ranks gives the same bits.

/// Fixed point with quantum 2^−50: a gradient step of AdamW does not see the rounding, and values up to 2^13 fit.
@usableFromInline @frozen
package enum FixedPoint {
    @inlinable package static var fractionBits: Int { 50 }

    /// Magnitudes from `2^13 / microBatches` on could overflow a sum over `microBatches` micro-batches. `microBatches` counts
    /// as the next power of 2.
    package static func limit(microBatches: Int) -> Float {
        let headroom = 13 - (Int.bitWidth - (max(microBatches, 1) - 1).leadingZeroBitCount)
        return Float(sign: .plus, exponent: headroom, significand: 1)
    }

    /// The nearest fixed-point number towards zero. Integer arithmetic alone, so that it vectorizes and cannot trap;
    /// meaningless for magnitudes from 2^13 on, NaN and infinities, which `isOutside` finds.
    @inlinable @inline(__always)
    package static func quantize(_ value: Float) -> Int64 {
        let bits = value.bitPattern
        let exponent = Int64((bits >> 23) & 0xFF)
        let significand = Int64(bits & 0x7F_FFFF) | (exponent == 0 ? 0 : 0x80_0000)
        // value = significand · 2^(max(exponent, 1) − 150)
        let shift = (exponent == 0 ? 1 : exponent) &- (150 &- Int64(fractionBits))
        let left = shift > 0 ? (shift < 39 ? shift : 39) : 0
        let right = shift < 0 ? (shift > -63 ? 0 &- shift : 63) : 0
        let magnitude = (significand &<< left) &>> right
        let sign = Int64(Int32(bitPattern: bits) &>> 31)
        return (magnitude ^ sign) &- sign
    }

    @inlinable @inline(__always)
    package static func value(_ fixed: Int64) -> Float {
        Float(fixed) * 0x1p-50
    }
}
