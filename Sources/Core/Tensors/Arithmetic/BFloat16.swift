/// The upper half of a float32: 8 bits of exponent, 8 of significand (the first implied).
@usableFromInline @frozen
package struct BFloat16: BitwiseCopyable, Sendable, Equatable {
    @usableFromInline package let bits: UInt16

    @inlinable @inline(__always)
    package init(bits: UInt16) { self.bits = bits }
}

/// Numbers that matrices hold and kernels compute with in float32.
///
/// Conformances are inlinable down to the last instruction: a loop with a call in it is not vectorized.
@usableFromInline
package protocol MatrixElement: BitwiseCopyable, Sendable, Equatable {
    /// The nearest element, ties to even; NaN stays NaN.
    init(rounding value: Float)
    var float: Float { get }
}

extension Float: MatrixElement {
    @inlinable @inline(__always)
    package init(rounding value: Float) { self = value }
    @inlinable @inline(__always)
    package var float: Float { self }
}

extension BFloat16: MatrixElement {
    @inlinable @inline(__always)
    package init(rounding value: Float) { self.init(bits: bfloat16Bits(value)) }
    @inlinable @inline(__always)
    package var float: Float { Float(bitPattern: UInt32(bits) &<< 16) }
}

/// The upper half of the nearest float32 whose lower half is zero, ties to even; NaN stays NaN.
///
/// Integer arithmetic alone, so that loops over it become vector instructions.
@inlinable @inline(__always)
package func bfloat16Bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = bits &+ 0x7FFF &+ ((bits &>> 16) & 1)
    let isNaN = bits & 0x7FFF_FFFF > 0x7F80_0000
    return UInt16(truncatingIfNeeded: (isNaN ? bits | 0x40_0000 : rounded) &>> 16)
}
