extension MutableSpan where Element: BitwiseCopyable {
    /// Copies the elements of `source`, which is as long.
    @inlinable
    @_lifetime(self: copy self)
    package mutating func update(from source: Span<Element>) {
        precondition(source.count == count, "\(source.count) elements do not fit in \(count)")
        for i in source.indices { self[i] = source[i] }
    }
}

extension Vector {
    /// Gives every element the same value.
    @inlinable
    package func fill(with value: Element) {
        var target = unsafe unsafeMutableSpan
        target.update(repeating: value)
    }

    /// Copies the elements of `source`, which is as long and does not overlap.
    @inlinable
    package func copy(from source: Vector) {
        var target = unsafe unsafeMutableSpan
        target.update(from: source.span)
    }
}

extension Matrix {
    /// Gives every element the same value, row by row.
    @inlinable
    package func fill(with value: Element) {
        for index in 0..<rows {
            var row = unsafe unsafeMutableRow(index)
            row.update(repeating: value)
        }
    }

    /// Copies the elements of `source`, of the same shape, row by row; the two do not overlap.
    @inlinable
    package func copy(from source: Matrix) {
        precondition(source.rows == rows && source.columns == columns, "matrices of different shapes")
        for index in 0..<rows {
            var row = unsafe unsafeMutableRow(index)
            row.update(from: source.row(index))
        }
    }
}
