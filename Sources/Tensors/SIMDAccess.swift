// Sixteen floats at a time from and to spans: loops over these compile to full vector loads and stores, which the
// compiler does not find by itself for reductions (floats are not reassociated).

extension Span where Element == Float {
    /// Elements `index ..< index + 16`.
    @inlinable @inline(__always)
    package func sixteen(at index: Int) -> SIMD16<Float> {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index &* 4, as: SIMD16<Float>.self)
    }
}

extension MutableSpan where Element == Float {
    /// Elements `index ..< index + 16`.
    @inlinable @inline(__always)
    package func sixteen(at index: Int) -> SIMD16<Float> {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index &* 4, as: SIMD16<Float>.self)
    }
}
