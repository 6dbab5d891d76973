package import Diagnostics

/// An open directory: what is looked up in it is found in this one, also after it was renamed or another took its name.
package final class OpenDirectory: Sendable {
    package let path: String
    let descriptor: Int32
    package let identity: FileIdentity

    /// - Parameter followingLink: whether `path` may be a symbolic link to a directory
    /// - Throws: `noInput` if it cannot be opened
    package convenience init(_ path: String, followingLink: Bool = true) throws(Failure) {
        try unsafe self.init(
            opened: open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLink ? 0 : O_NOFOLLOW)), path)
    }

    init(opened descriptor: Int32, _ path: String) throws(Failure) {
        guard descriptor >= 0 else {
            throw Failure(system: .noInput, "cannot open the directory \(path)")
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            close(descriptor)
            throw Failure(system: .noInput, "cannot open the directory \(path)")
        }
        self.path = path
        self.descriptor = descriptor
        identity = FileIdentity(status)
    }

    deinit { close(descriptor) }

    /// Whether its path still leads to it.
    package var isInPlace: Bool { FileIdentity(path) == identity }

    /// Whether it belongs to this user and nobody else can write to it or look into it.
    package var isPrivate: Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.isMine && status.st_mode & 0o077 == 0
    }

    /// The names in it, except `.` and `..`, as the bytes that they are, in ascending order. A name need not be UTF-8.
    /// - Throws: `noInput` if it cannot be listed
    package func entries() throws(Failure) -> [[UInt8]] {
        let again = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard again >= 0, let stream = unsafe fdopendir(again) else {
            if again >= 0 { close(again) }
            throw cannotList()
        }
        defer { unsafe closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe Array(bytes.prefix { $0 != 0 })
            }
            if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
        }
        guard errno == 0 else { throw cannotList() }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private func cannotList() -> Failure {
        Failure(system: .noInput, "cannot list the directory \(path)")
    }

    /// The same as text; one that is not UTF-8 comes with replacement characters.
    /// - Throws: as `entries`
    package func names() throws(Failure) -> [String] {
        try entries().map { String(decoding: $0, as: UTF8.self) }
    }

    /// The directory in it whose name is `name`, which need not be UTF-8; no link to one.
    /// - Throws: `noInput` if it cannot be opened
    package func subdirectory(_ name: [UInt8]) throws(Failure) -> OpenDirectory {
        let text = (name + [0]).map { CChar(bitPattern: $0) }
        return try OpenDirectory(
            opened: unsafe openat(descriptor, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
            "\(path)/\(String(decoding: name, as: UTF8.self))")
    }

    /// What the entry `name` is, which need not be UTF-8, with the bytes of a regular file; a symbolic link is none. Nil if
    /// there is none.
    package func look(at name: [UInt8]) -> (kind: Entry, bytes: Int)? {
        let text = (name + [0]).map { CChar(bitPattern: $0) }
        var found = stat()
        guard unsafe fstatat(descriptor, text, &found, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        return (found.entry, found.isRegularFile ? Int(found.st_size) : 0)
    }

    /// The entry itself; a symbolic link is not followed. Nil if there is none.
    func status(of name: String) -> stat? {
        var found = stat()
        return unsafe fstatat(descriptor, name, &found, AT_SYMLINK_NOFOLLOW) == 0 ? found : nil
    }

    package func contains(_ name: String) -> Bool { status(of: name) != nil }

    /// Bytes of an entry that is a regular file itself; nil for everything else.
    package func size(ofFile name: String) -> Int? {
        status(of: name).flatMap { $0.isRegularFile ? Int($0.st_size) : nil }
    }

    /// Kinds of entries.
    package enum Entry: Sendable, Equatable { case file, directory, other }

    /// What this user owns under that name; nil for what is not there or is somebody else's.
    package func own(_ name: String) -> Entry? {
        guard let status = status(of: name), status.isMine else { return nil }
        return status.entry
    }
}
