package import Diagnostics

/// An open directory: what is looked up in it is found in this one, also after it was renamed or another took its name.
package final class OpenDirectory: Sendable {
    package let path: String
    let descriptor: Int32
    package let identity: FileIdentity

    /// - Parameter followingLink: whether `path` may be a symbolic link to a directory
    /// - Throws: `noInput` if it cannot be opened
    package convenience init(_ path: String, followingLink: Bool = true) throws(Failure) {
        try self.init(
            opened: open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLink ? 0 : O_NOFOLLOW)), path)
    }

    init(opened descriptor: Int32, _ path: String) throws(Failure) {
        guard descriptor >= 0 else {
            throw Failure(.noInput, "cannot open the directory \(path): \(systemError())")
        }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            close(descriptor)
            throw Failure(.noInput, "cannot open the directory \(path): \(systemError())")
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

    /// Names of what is in it, sorted.
    /// - Throws: `inputOutput` if it cannot be listed
    package func names() throws(Failure) -> [String] {
        let again = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard again >= 0, let stream = unsafe fdopendir(again) else {
            if again >= 0 { close(again) }
            throw Failure(.inputOutput, "cannot list the directory \(path): \(systemError())")
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
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
        return status.isRegularFile ? .file : status.isDirectory ? .directory : .other
    }
}
