package import Diagnostics

/// A whole file as read-only memory: pages come from disk when touched and go when memory is short.
@safe package final class MappedFile: @unchecked Sendable {
    // Unchecked because the mapping is never written and lives as long as the object.
    package let path: String
    package let count: Int
    private let base: UnsafeMutableRawPointer

    /// - Throws: `noInput` if `path` cannot be opened or is no regular file, `unavailable` if the system refuses the addresses
    package init(_ path: String) throws(Failure) {
        // Without O_NONBLOCK a pipe would keep this waiting for a writer before it can be refused.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(system: .noInput, "cannot open \(path)") }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.noInput, "cannot read \(path): it is not a regular file")
        }
        self.path = path
        count = Int(status.st_size)
        // The kernel maps no empty file; one page of nothing stands for it.
        let found =
            count == 0
            ? unsafe mmap(nil, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            : unsafe mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let found = unsafe found, unsafe found != MAP_FAILED else {
            throw Failure(system: .inputOutput, "cannot map \(path) (\(count) bytes) into memory")
        }
        unsafe base = found
    }

    deinit { unsafe munmap(base, max(count, 1)) }

    /// All bytes.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { view(of: UInt8.self, at: 0, count: count) }
    }

    /// `count` elements from byte `offset`, in the machine's byte order.
    @_lifetime(borrow self)
    package func view<Element: BitwiseCopyable>(of type: Element.Type, at offset: Int, count: Int) -> Span<Element> {
        precondition(offset >= 0 && count >= 0 && offset % MemoryLayout<Element>.alignment == 0)
        precondition(count <= (self.count - offset) / MemoryLayout<Element>.stride, "view outside its file")
        let start = unsafe UnsafeRawPointer(base + offset).assumingMemoryBound(to: Element.self)
        let span = unsafe Span(_unsafeStart: start, count: count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }
}
