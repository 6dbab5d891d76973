/// A row-major matrix of float32 inside a buffer: `[rows, columns]`, consecutive rows `stride` elements apart.
///
/// Copies and windows share the numbers. A vector is a matrix of one row.
package struct Tensor: Sendable {
    @usableFromInline let buffer: Buffer<Float>
    @usableFromInline package let offset: Int
    package let rows: Int
    package let columns: Int
    package let stride: Int

    /// New memory: zeros.
    package init(rows: Int, columns: Int) {
        self.init(Buffer(count: rows * columns), offset: 0, rows: rows, columns: columns, stride: columns)
    }

    @usableFromInline
    init(_ buffer: Buffer<Float>, offset: Int, rows: Int, columns: Int, stride: Int) {
        let end = rows == 0 || columns == 0 ? offset : offset + (rows - 1) * stride + columns
        precondition(rows >= 0 && columns >= 0 && stride >= columns && offset >= 0 && end <= buffer.count)
        self.buffer = buffer
        self.offset = offset
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// The elements of `vector` as a matrix.
    package init(_ vector: Vector<Float>, rows: Int, columns: Int) {
        precondition(rows * columns <= vector.count, "[\(rows), \(columns)] does not fit in \(vector.count) elements")
        self.init(vector.buffer, offset: vector.offset, rows: rows, columns: columns, stride: columns)
    }

    package var count: Int { rows * columns }
    package var isContiguous: Bool { stride == columns || rows <= 1 }

    /// Rows `range`, all columns.
    @inlinable
    package func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        return Tensor(
            buffer, offset: offset + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// Columns `range`, all rows.
    @inlinable
    package func columns(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns)
        return Tensor(buffer, offset: offset + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// All elements of a contiguous matrix.
    package var vector: Vector<Float> {
        precondition(isContiguous)
        return Vector(buffer, offset: offset, count: count)
    }

    /// The first `rows` rows and `columns` columns' worth of this memory as a matrix of another shape.
    package func reshaped(rows: Int, columns: Int) -> Tensor {
        Tensor(vector, rows: rows, columns: columns)
    }

    /// All elements of a contiguous matrix, to read.
    @inlinable
    package var span: Span<Float> {
        @_lifetime(borrow self)
        get {
            precondition(stride == columns || rows <= 1)
            let span = unsafe Span(_unsafeStart: UnsafePointer(buffer.base + offset), count: rows * columns)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// All elements of a contiguous matrix, to write. Threads get disjoint windows.
    @inlinable
    package var mutableSpan: MutableSpan<Float> {
        @_lifetime(borrow self)
        get {
            precondition(stride == columns || rows <= 1)
            let span = unsafe MutableSpan(_unsafeStart: buffer.base + offset, count: rows * columns)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// One row, to read.
    @inlinable
    @_lifetime(borrow self)
    package func row(_ index: Int) -> Span<Float> {
        precondition(index >= 0 && index < rows)
        let span = unsafe Span(_unsafeStart: UnsafePointer(buffer.base + offset + index * stride), count: columns)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// One row, to write.
    @inlinable
    @_lifetime(borrow self)
    package func mutableRow(_ index: Int) -> MutableSpan<Float> {
        precondition(index >= 0 && index < rows)
        let span = unsafe MutableSpan(_unsafeStart: buffer.base + offset + index * stride, count: columns)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    @inlinable
    package subscript(row: Int, column: Int) -> Float {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            return buffer.base[offset + row * stride + column]
        }
        nonmutating set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            buffer.base[offset + row * stride + column] = newValue
        }
    }

    /// For C libraries.
    @inlinable
    package var pointer: UnsafeMutablePointer<Float> { unsafe buffer.base + offset }
}
