/// A row-major matrix inside a buffer: `[rows, columns]`, consecutive rows `stride` elements apart.
///
/// Copies and windows share the numbers.
@safe @usableFromInline @frozen
package struct Matrix<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    // Unchecked for the pointer, which the buffer keeps alive; it is stored because going through the buffer's reference
    // would count references in every row of every kernel, on all threads at once.
    @usableFromInline let buffer: Buffer<Element>
    @usableFromInline let base: UnsafeMutablePointer<Element>
    @usableFromInline package let rows: Int
    @usableFromInline package let columns: Int
    @usableFromInline package let stride: Int

    /// New memory: zero bits.
    package init(rows: Int, columns: Int) {
        self.init(Buffer(count: rows * columns), offset: 0, rows: rows, columns: columns, stride: columns)
    }

    @usableFromInline
    init(_ buffer: Buffer<Element>, offset: Int, rows: Int, columns: Int, stride: Int) {
        let end = rows == 0 || columns == 0 ? offset : offset + (rows - 1) * stride + columns
        precondition(rows >= 0 && columns >= 0 && stride >= columns && offset >= 0 && end <= buffer.count)
        self.buffer = buffer
        unsafe base = buffer.base + offset
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// The elements of `vector` as a matrix.
    package init(_ vector: Vector<Element>, rows: Int, columns: Int) {
        precondition(rows * columns <= vector.count, "[\(rows), \(columns)] does not fit in \(vector.count) elements")
        self.init(vector.buffer, offset: vector.offset, rows: rows, columns: columns, stride: columns)
    }

    @usableFromInline var offset: Int { unsafe base - buffer.base }
    @inlinable @inline(__always)
    package var count: Int { rows * columns }
    @inlinable @inline(__always)
    package var isContiguous: Bool { stride == columns || rows <= 1 }

    /// Rows `range`, all columns.
    @inlinable
    package func rows(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        return Matrix(
            buffer, offset: offset + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// Columns `range`, all rows.
    @inlinable
    package func columns(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns)
        return Matrix(buffer, offset: offset + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// All elements of a contiguous matrix.
    package var vector: Vector<Element> {
        precondition(isContiguous)
        return Vector(buffer, offset: offset, count: count)
    }

    /// The first `rows` rows and `columns` columns' worth of this memory as a matrix of another shape.
    package func reshaped(rows: Int, columns: Int) -> Matrix {
        Matrix(vector, rows: rows, columns: columns)
    }

    /// All elements of a contiguous matrix, to read.
    @inlinable
    package var span: Span<Element> {
        @_lifetime(borrow self)
        get {
            precondition(isContiguous)
            let span = unsafe Span(_unsafeStart: UnsafePointer(base), count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// All elements of a contiguous matrix, to write. Unsafe, because two such spans may overlap: threads get disjoint windows.
    @inlinable @unsafe
    package var unsafeMutableSpan: MutableSpan<Element> {
        @_lifetime(borrow self)
        get {
            precondition(isContiguous)
            let span = unsafe MutableSpan(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// One row, to read.
    @inlinable @inline(__always)
    @_lifetime(borrow self)
    package func row(_ index: Int) -> Span<Element> { row(index, 0..<columns) }

    /// Columns `range` of one row, to read.
    @inlinable @inline(__always)
    @_lifetime(borrow self)
    package func row(_ index: Int, _ range: Range<Int>) -> Span<Element> {
        precondition(index >= 0 && index < rows && range.lowerBound >= 0 && range.upperBound <= columns)
        let start = unsafe UnsafePointer(base + index * stride + range.lowerBound)
        let span = unsafe Span(_unsafeStart: start, count: range.count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// One row, to write; unsafe as `unsafeMutableSpan` is.
    @inlinable @inline(__always) @unsafe
    @_lifetime(borrow self)
    package func unsafeMutableRow(_ index: Int) -> MutableSpan<Element> { unsafe unsafeMutableRow(index, 0..<columns) }

    /// Columns `range` of one row, to write; unsafe as `unsafeMutableSpan` is.
    @inlinable @inline(__always) @unsafe
    @_lifetime(borrow self)
    package func unsafeMutableRow(_ index: Int, _ range: Range<Int>) -> MutableSpan<Element> {
        precondition(index >= 0 && index < rows && range.lowerBound >= 0 && range.upperBound <= columns)
        let span = unsafe MutableSpan(_unsafeStart: base + index * stride + range.lowerBound, count: range.count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    @inlinable
    package subscript(row: Int, column: Int) -> Element {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            return unsafe base[row * stride + column]
        }
        nonmutating set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            unsafe base[row * stride + column] = newValue
        }
    }

    /// For C libraries.
    @inlinable
    package var pointer: UnsafeMutablePointer<Element> { unsafe base }
}

/// A matrix of float32.
package typealias Tensor = Matrix<Float>
