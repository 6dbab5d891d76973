package import Diagnostics
import Foundation

/// The file operations that durability is made of, each with its failure.
package enum Files {
    package static func makeDirectory(_ path: String) throws(Failure) {
        guard unsafe mkdir(path, 0o777) == 0 || (errno == EEXIST && isDirectory(path)) else {
            throw Failure(
                system: .cannotCreate, "cannot create the directory \(path)",
                advice: "check the permissions and free space of the folder it is in")
        }
    }

    /// Makes a directory that was not there: what is in it, this program has put there.
    package static func makeNewDirectory(_ path: String) throws(Failure) {
        guard unsafe mkdir(path, 0o777) == 0 else {
            throw Failure(
                system: .cannotCreate, "cannot create the directory \(path)",
                advice: "check the permissions and free space of the folder it is in")
        }
    }

    /// Also of a link to one: users put folders elsewhere.
    package static func isDirectory(_ path: String) -> Bool {
        var found = stat()
        return unsafe stat(path, &found) == 0 && found.st_mode & S_IFMT == S_IFDIR
    }

    /// Of the thing itself; a symbolic link is not followed.
    package static func exists(_ path: String) -> Bool { FileIdentity(path, followingLink: false) != nil }

    /// Waits until the bytes of a file, or the entries of a directory, are on the disk.
    package static func sync(_ path: String) throws(Failure) {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(system: .inputOutput, "cannot open \(path) to sync it") }
        defer { close(file) }
        while fsync(file) != 0 {
            if errno == EINTR { continue }
            throw Failure(system: .inputOutput, "cannot sync \(path) to the disk")
        }
    }

    /// Writes a new file whole.
    package static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw Failure(system: .cannotCreate, "cannot create \(path)") }
        defer { close(file) }
        guard writeAll(bytes, to: file) else {
            throw Failure(system: .inputOutput, "cannot write \(path)")
        }
    }

    package static func rename(_ old: String, to new: String) throws(Failure) {
        guard unsafe Glibc.rename(old, new) == 0 else {
            throw Failure(system: .cannotCreate, "cannot rename \(old) to \(new)")
        }
    }

    /// Bytes that this user can still write in a directory; nil where the system does not tell.
    package static func freeBytes(in directory: String) -> Int? {
        var system = statvfs()
        guard unsafe statvfs(directory, &system) == 0 else { return nil }
        return Int(clamping: UInt64(system.f_bavail) * UInt64(system.f_frsize))
    }

    /// Frees a file's blocks; it stays, empty.
    package static func empty(_ path: String) { _ = unsafe truncate(path, 0) }

    /// Names in a directory, sorted; nil if it cannot be read. One that is not UTF-8 comes with replacement characters.
    package static func names(in directory: String) -> [String]? {
        try? OpenDirectory(directory).names()
    }
}
