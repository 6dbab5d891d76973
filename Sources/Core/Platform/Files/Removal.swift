package import Diagnostics

/// Removes a file, or a directory with all it holds; what is not there needs no removing.
///
/// Every name is looked up in the open directory above it and no symbolic link is followed, so that nothing outside is
/// removed whatever is renamed meanwhile; other file systems that are mounted below stay.
/// - Throws: `inputOutput`, naming what could not be removed
package func removeTree(_ path: String) throws(Failure) {
    guard FileIdentity(path, followingLink: false) != nil else { return }
    let (parent, name) = splitPath(path)
    try OpenDirectory(parent).remove(name)
}

extension OpenDirectory {
    /// More levels than anything that this program makes.
    private static let deepest = 64

    /// Removes the entry `name` with all it holds; what is not there needs no removing.
    /// - Throws: `inputOutput`, naming what could not be removed
    package func remove(_ name: String) throws(Failure) {
        try remove(name, level: 0)
    }

    private func remove(_ name: String, level: Int) throws(Failure) {
        let subject = "\(path)/\(name)"
        guard !name.isEmpty, name != ".", name != "..", !name.contains("/") else {
            throw Failure(.software, "\(subject) is no name of something to remove")
        }
        guard let status = status(of: name) else { return }
        guard status.isDirectory else {
            guard unsafe unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else { throw cannotRemove(subject) }
            return
        }
        guard level < Self.deepest else { throw Failure(.inputOutput, "\(subject) lies too deep to be removed") }
        let inner = try subdirectory(Array(name.utf8))
        guard inner.isOnSameDevice(as: self) else {
            throw Failure(.inputOutput, "\(subject) is another file system and is not removed")
        }
        for entry in try inner.names() { try inner.remove(entry, level: level + 1) }
        guard unsafe unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
            throw cannotRemove(subject)
        }
    }

    private func isOnSameDevice(as other: OpenDirectory) -> Bool {
        var mine = stat(), theirs = stat()
        return unsafe (fstat(descriptor, &mine) == 0 && fstat(other.descriptor, &theirs) == 0)
            && mine.st_dev == theirs.st_dev
    }

    private func cannotRemove(_ subject: String) -> Failure {
        Failure(system: .inputOutput, "cannot remove \(subject)")
    }
}
