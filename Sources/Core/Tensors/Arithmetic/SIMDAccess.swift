// Sixteen elements at a time, computed with as floats: loops over these compile to full vectors, which the compiler does not
// find by itself for reductions (floats are not reassociated).

extension Span where Element: MatrixElement {
    /// Elements `index ..< index + 16`, as floats.
    @inlinable @inline(__always)
    package func sixteen(at index: Int) -> SIMD16<Float> {
        if Element.self == Float.self {
            return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index &* 4, as: SIMD16<Float>.self)
        }
        // The halves as upper halves. `SIMD16<UInt32>(truncatingIfNeeded:)` would be a call.
        var words = SIMD32<UInt16>()
        words.oddHalf = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index &* 2, as: SIMD16<UInt16>.self)
        return unsafe unsafeBitCast(words, to: SIMD16<Float>.self)
    }
}

extension MutableSpan where Element == Float {
    /// Elements `index ..< index + 16`.
    @inlinable @inline(__always)
    package func sixteen(at index: Int) -> SIMD16<Float> {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index &* 4, as: SIMD16<Float>.self)
    }

    /// Elements `index ..< index + 16` become `values`.
    @inlinable @inline(__always)
    @_lifetime(self: copy self)
    package mutating func store(_ values: SIMD16<Float>, at index: Int) {
        var bytes = unsafe mutableBytes
        unsafe bytes.storeBytes(of: values, toUncheckedByteOffset: index &* 4, as: SIMD16<Float>.self)
    }
}
