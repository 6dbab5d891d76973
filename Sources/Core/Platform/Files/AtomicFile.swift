package import Diagnostics

/// A file that appears under its name whole or not at all: written beside it as `NAME.partial`, synced, renamed.
package final class AtomicFile {
    package let path: String
    private let partial: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var committed = false
    private static let bufferSize = 1 << 20

    /// What the file at `path` is called while it is written.
    static func partialName(of path: String) -> String { path + ".partial" }

    /// - Parameter keepsContents: whether what an earlier process wrote and did not commit stays; what is appended follows it
    /// - Throws: `cannotCreate` if the folder cannot be written or something else than a file is at `path`, `inUse` if another
    ///   process is writing the same file
    package init(_ path: String, keepsContents: Bool = false) throws(Failure) {
        try requireFileOrNothing(at: path)
        self.path = path
        partial = Self.partialName(of: path)
        // The name can be foreseen: what somebody else has put there is neither followed nor written to.
        let descriptor = unsafe open(partial, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
        guard descriptor >= 0 else {
            throw Failure(system: .cannotCreate, "cannot create \(partial)", advice: Self.advice)
        }
        guard Self.isOwn(descriptor) else {
            close(descriptor)
            throw Failure(
                .cannotCreate, "cannot create \(partial): something else bears that name", advice: Self.advice)
        }
        self.descriptor = descriptor
        // The lock comes before the truncation, so that a second writer cannot empty the first one's file.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, isStillNamed else {
            committed = true
            close(descriptor)
            throw Failure(
                .inUse, "\(path) is being written by another process", advice: "wait for it, or name another file")
        }
        buffer.reserveCapacity(Self.bufferSize)
        if keepsContents {
            lseek(descriptor, 0, SEEK_END)
        } else {
            try truncate(to: 0)
        }
    }

    deinit {
        guard !committed else { return }
        unsafe unlink(partial)
        close(descriptor)
    }

    private static let advice = "the folder must be writable, and nothing else have that name"

    /// Whether it is a regular file of this user's that has no other name.
    private static func isOwn(_ descriptor: Int32) -> Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            && status.st_uid == geteuid() && status.st_nlink <= 1
    }

    private var isStillNamed: Bool {
        var mine = stat(), named = stat()
        return unsafe (fstat(descriptor, &mine) == 0 && lstat(partial, &named) == 0 && mine.st_ino == named.st_ino)
    }

    /// Adds `elements` at the end, in the machine's byte order.
    package func append<Element: BitwiseCopyable>(_ elements: Span<Element>) throws(Failure) {
        unsafe elements.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
        if buffer.count >= Self.bufferSize { try flush() }
    }

    private func flush() throws(Failure) {
        var pending: [UInt8] = []
        swap(&pending, &buffer)
        try write(pending.span, at: nil)
        pending.removeAll(keepingCapacity: true)
        swap(&pending, &buffer)
    }

    /// Removes what has been written behind byte `count`; what is appended next follows it.
    package func truncate(to count: Int) throws(Failure) {
        try flush()
        guard ftruncate(descriptor, off_t(count)) == 0, lseek(descriptor, 0, SEEK_END) == off_t(count) else {
            throw failure("truncate")
        }
    }

    /// Waits until what has been appended is on the disk.
    package func sync() throws(Failure) {
        try flush()
        guard fdatasync(descriptor) == 0 else { throw failure("sync") }
    }

    /// Leaves what has been written under its temporary name, for a later process to go on with.
    package func leaveUncommitted() throws(Failure) {
        try sync()
        committed = true
        close(descriptor)
    }

    /// Replaces what stands at byte `offset`.
    package func overwrite(at offset: Int, with bytes: Span<UInt8>) throws(Failure) {
        try flush()
        try write(bytes, at: offset)
    }

    private func write(_ bytes: Span<UInt8>, at offset: Int?) throws(Failure) {
        let descriptor = descriptor
        let complete = unsafe bytes.withUnsafeBytes { all in
            var done = 0
            while done < all.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: all[done...])
                let written =
                    if let offset {
                        unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
                    } else {
                        unsafe Self.write(descriptor, rest)
                    }
                guard written > 0 || errno == EINTR else { return false }
                done += max(written, 0)
            }
            return true
        }
        guard complete else { throw failure("write") }
    }

    private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    }

    /// What has been written so far, to read back before the file gets its name.
    package func written() throws(Failure) -> MappedFile {
        try flush()
        return try MappedFile(partial)
    }

    /// Syncs the file, gives it its name and syncs the folder.
    package func commit() throws(Failure) {
        try flush()
        guard fsync(descriptor) == 0 else { throw failure("sync") }
        guard unsafe rename(partial, path) == 0 else { throw failure("rename") }
        committed = true
        close(descriptor)
        let folder = unsafe open(splitPath(path).parent, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    private func failure(_ verb: String) -> Failure {
        Failure(system: .inputOutput, "cannot \(verb) \(partial)")
    }
}

extension InputsAndOutputs {
    /// As `writes`, for an `AtomicFile`, which has another name until it is whole.
    package mutating func writesWhole(_ path: String, as name: String) {
        writes(path, as: name)
        writes(AtomicFile.partialName(of: path), as: name)
    }
}
