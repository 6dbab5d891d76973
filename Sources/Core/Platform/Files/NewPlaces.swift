package import Diagnostics

/// Makes a directory under a name that nobody can foresee, `folder/prefix` and 16 digits: what others may have put there
/// beforehand is neither followed nor written to.
/// - Parameter mode: permissions before the user's mask
/// - Throws: `cannotCreate` with the system's reason
package func makeUniqueDirectory(
    in folder: String, prefix: String, mode: UInt32 = 0o700
) throws(Failure) -> String {
    for _ in 0..<16 {
        let path = "\(folder)/\(prefix)\(hexadecimal(UInt64.random(in: 0...UInt64.max)))"
        if unsafe mkdir(path, mode_t(mode)) == 0 { return path }
        if errno != EEXIST { break }
    }
    throw Failure(
        system: .cannotCreate, "cannot make a directory in \(folder)",
        advice: "check its permissions and free space")
}

/// Whether a file can be made in `folder`. Nothing stays, and nothing that is there is touched.
package func canCreateFiles(in folder: String) -> Bool {
    let path = "\(folder)/.write-test-\(hexadecimal(UInt64.random(in: 0...UInt64.max)))"
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { return false }
    close(file)
    unsafe unlink(path)
    return true
}

/// A directory of this user's own in the folder for temporary files: nobody else can write to it or look into it.
/// - Returns: nil if it cannot be made, or something else bears its name
package func privateDirectory(_ name: String, in folder: String) -> OpenDirectory? {
    let path = "\(folder)/\(name)"
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { return nil }
    guard let directory = try? OpenDirectory(path, followingLink: false), directory.isPrivate else { return nil }
    return directory
}

extension OpenDirectory {
    /// Writes a new file of `bytes` that only this user can read.
    /// - Throws: `cannotCreate` if there is something of that name, `inputOutput` if it cannot be written; nothing stays then
    package func create(_ name: String, _ bytes: [UInt8]) throws(Failure) {
        let file = unsafe openat(descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(system: .cannotCreate, "cannot create \(path)/\(name)") }
        defer { close(file) }
        guard unsafe write(file, bytes, bytes.count) == bytes.count else {
            let failure = Failure(system: .inputOutput, "cannot write \(path)/\(name)")
            unsafe unlinkat(descriptor, name, 0)
            throw failure
        }
    }
}
