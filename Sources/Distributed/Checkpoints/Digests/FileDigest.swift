package import Diagnostics
package import Platform

/// Size and SHA-256 of a file, from one reading.
package struct FileDigest: Sendable, Equatable {
    package var bytes: Int
    package var sha256: String

    package init(bytes: Int, sha256: String) {
        self.bytes = bytes
        self.sha256 = sha256
    }

    private static let piece = 1 << 20

    /// - Throws: a `Failure` naming the file if it cannot be opened or read
    package init(of path: String) throws(Failure) {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { throw Failure(system: .noInput, "cannot open \(path)") }
        defer { close(file) }
        try self.init(reading: file, path)
    }

    /// - Throws: a `Failure` naming the file if it cannot be read
    package init(of file: RegularFile) throws(Failure) { try self.init(reading: file.descriptor, file.path) }

    private init(reading file: Int32, _ path: String) throws(Failure) {
        var hash = SHA256()
        var total = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.piece, alignment: 4096)
        defer { unsafe buffer.deallocate() }
        while true {
            let count = unsafe pread(file, buffer.baseAddress, buffer.count, off_t(total))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(system: .inputOutput, "cannot read \(path)") }
            if count == 0 { break }
            unsafe hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            total += count
        }
        bytes = total
        sha256 = hash.finish()
    }
}
