/// A window of a `Buffer`: `count` elements from `offset`.
///
/// Copies share the numbers, like a pointer that keeps its memory alive and cannot leave its window.
@usableFromInline @frozen
package struct Vector<Element: BitwiseCopyable> {
    // Inlinable only because the type is usable from inline: members of a type that is not stay calls, and unspecialized ones.
    @usableFromInline let buffer: Buffer<Element>
    @usableFromInline package let offset: Int
    @usableFromInline package let count: Int

    /// New memory: `count` zeros.
    package init(count: Int) {
        self.init(Buffer(count: count), offset: 0, count: count)
    }

    package init(_ buffer: Buffer<Element>, offset: Int, count: Int) {
        precondition(offset >= 0 && count >= 0 && offset + count <= buffer.count, "window outside its buffer")
        self.buffer = buffer
        self.offset = offset
        self.count = count
    }

    package init(_ elements: some Collection<Element>) {
        self.init(count: elements.count)
        for (i, element) in elements.enumerated() { self[i] = element }
    }

    @inlinable
    package subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return unsafe buffer.base[offset + index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count)
            unsafe buffer.base[offset + index] = newValue
        }
    }

    package subscript(range: Range<Int>) -> Vector {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return Vector(buffer, offset: offset + range.lowerBound, count: range.count)
    }

    /// The elements, to read.
    @inlinable
    package var span: Span<Element> {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span(_unsafeStart: UnsafePointer(buffer.base + offset), count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The elements, to write. Unsafe, because two such spans may overlap: whoever writes concurrently must write elsewhere, and
    /// threads get disjoint windows.
    @inlinable @unsafe
    package var unsafeMutableSpan: MutableSpan<Element> {
        @_lifetime(borrow self)
        get {
            let span = unsafe MutableSpan(_unsafeStart: buffer.base + offset, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// For C libraries.
    @inlinable
    package var pointer: UnsafeMutablePointer<Element> { unsafe buffer.base + offset }

    package var array: [Element] { (0..<count).map { self[$0] } }
}

extension Vector: Sendable where Element: Sendable {}
