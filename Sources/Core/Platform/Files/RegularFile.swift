package import Diagnostics

/// A regular file, open to read. All its bytes come from one file, whatever is renamed or put in its place meanwhile; pipes
/// and devices, which can block a reader for ever, are refused.
package final class RegularFile: Sendable {
    package let path: String
    package let descriptor: Int32
    package let identity: FileIdentity
    /// In bytes, when it was opened.
    package let size: Int

    /// A file that a user named; a symbolic link stands for what it leads to.
    /// - Throws: `noInput` if it cannot be opened or is no regular file
    package convenience init(_ path: String) throws(Failure) {
        try unsafe self.init(opened: open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), path)
    }

    /// The file `name` of `directory` itself: no link, no way out of it.
    /// - Throws: `noInput` if it cannot be opened or is no regular file
    package convenience init(_ name: String, in directory: OpenDirectory) throws(Failure) {
        try unsafe self.init(
            opened: openat(directory.descriptor, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW),
            "\(directory.path)/\(name)")
    }

    private init(opened descriptor: Int32, _ path: String) throws(Failure) {
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT: throw Failure(.noInput, "\(path) is missing")
            case ELOOP: throw Failure(.noInput, "\(path) is not a regular file")
            default: throw Failure(system: .noInput, "cannot open \(path)")
            }
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.isRegularFile else {
            close(descriptor)
            throw Failure(.noInput, "\(path) is not a regular file")
        }
        self.path = path
        self.descriptor = descriptor
        identity = FileIdentity(status)
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Whether an open file is a regular one.
    package static func isRegular(_ descriptor: Int32) -> Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.isRegularFile
    }

    /// Fills `count` bytes from byte `offset` on.
    /// - Throws: `data` if the file ends before, `inputOutput` with the system's reason
    package func read(into target: UnsafeMutableRawPointer, count: Int, at offset: Int) throws(Failure) {
        var done = 0
        while done < count {
            let found = unsafe pread(descriptor, target + done, count - done, off_t(offset + done))
            if found < 0, errno == EINTR { continue }
            guard found >= 0 else { throw Failure(system: .inputOutput, "cannot read \(path)") }
            guard found > 0 else { throw Failure(.data, "\(path) is truncated: byte \(offset + done) is missing") }
            done += found
        }
    }

    /// All bytes.
    /// - Parameter limit: the most that such a file may have
    /// - Throws: `data` if there are more
    package func contents(limit: Int) throws(Failure) -> [UInt8] {
        guard size <= limit else {
            throw Failure(.data, "\(path) has \(size) bytes; such a file has at most \(limit)")
        }
        return try bytes(from: 0, to: size)
    }

    /// Bytes `start` up to `end`.
    /// - Throws: as `read`
    package func bytes(from start: Int, to end: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: end - start)
        var failure: Failure?
        unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let target = buffer.baseAddress else { return }
            do throws(Failure) {
                try unsafe read(into: target, count: buffer.count, at: start)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
