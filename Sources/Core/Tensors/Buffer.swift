/// One allocation of plain numbers, aligned for vectors and pages, freed with its last holder.
@safe @usableFromInline
package final class Buffer<Element: BitwiseCopyable> {
    @usableFromInline package let base: UnsafeMutablePointer<Element>
    @usableFromInline package let count: Int
    private let allocation: Allocation

    /// `count` elements of zero bits.
    package init(count: Int) {
        precondition(count >= 0)
        allocation = Allocation(bytes: max(count, 1) * MemoryLayout<Element>.stride)
        unsafe base = allocation.address.bindMemory(to: Element.self, capacity: max(count, 1))
        self.count = count
    }

    deinit { allocation.free() }
}

// Unchecked because disjointness of concurrent writes is the promise of `ThreadPool`, not of the type.
extension Buffer: @unchecked Sendable where Element: Sendable {}
