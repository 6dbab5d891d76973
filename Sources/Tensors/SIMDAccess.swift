// Sixteen elements at a time from spans: loops over these compile to full vector loads, which the compiler does not find
// by itself for reductions (floats are not reassociated).

extension Span where Element: MatrixElement {
    /// Elements `index ..< index + 16`, as floats.
    @inlinable @inline(__always)
    package func sixteen(at index: Int) -> SIMD16<Float> {
        if Element.self == Float.self {
            return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index &* 4, as: SIMD16<Float>.self)
        }
        let bits = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index &* 2, as: SIMD16<UInt16>.self)
        return unsafe unsafeBitCast(SIMD16<UInt32>(truncatingIfNeeded: bits) &<< 16, to: SIMD16<Float>.self)
    }
}

extension MutableSpan where Element == Float {
    /// Elements `index ..< index + 16`.
    @inlinable @inline(__always)
    package func sixteen(at index: Int) -> SIMD16<Float> {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index &* 4, as: SIMD16<Float>.self)
    }
}
