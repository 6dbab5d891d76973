package import Diagnostics

/// A hidden directory beside a target, `.staging-NAME-` and 16 digits, in which one process makes what then gets the target's
/// name by one rename.
///
/// The process holds a lock on it (`flock`) as long as it lives: the next one that stages the same target removes what ended
/// processes have left, and nothing else.
package final class StagingDirectory {
    package let path: String
    private let target: String
    private let lock: OpenDirectory
    private var isGone = false

    /// - Throws: `cannotCreate` if there is something of the target's name, or its folder cannot be written
    package init(for target: String) throws(Failure) {
        guard FileIdentity(target, followingLink: false) == nil else {
            throw Failure(.cannotCreate, "\(target) exists already", advice: "name a new directory")
        }
        let (folder, name) = splitPath(target)
        // What names of 255 bytes have room for.
        let prefix = ".staging-\(String(decoding: name.utf8.prefix(200), as: UTF8.self))-"
        if let folder = try? OpenDirectory(folder) { Self.removeAbandoned(prefix, in: folder) }
        path = try makeUniqueDirectory(in: folder, prefix: prefix, mode: 0o777)
        lock = try OpenDirectory(path, followingLink: false)
        self.target = folder == "." ? name : folder == "/" ? "/\(name)" : "\(folder)/\(name)"
        _ = flock(lock.descriptor, LOCK_EX | LOCK_NB)
    }

    deinit { discard() }

    /// Removes directories of that kind whose process has ended. Best effort: where a file system has no locks they stay.
    private static func removeAbandoned(_ prefix: String, in folder: OpenDirectory) {
        for name in (try? folder.names()) ?? [] where name.hasPrefix(prefix) {
            let digits = name.dropFirst(prefix.count)
            guard digits.utf8.count == 16, digits.allSatisfy({ $0.isHexDigit && !$0.isUppercase }),
                folder.own(name) == .directory,
                let left = try? OpenDirectory("\(folder.path)/\(name)", followingLink: false),
                flock(left.descriptor, LOCK_EX | LOCK_NB) == 0
            else { continue }
            try? folder.remove(name)
        }
    }

    /// Gives what was made the target's name.
    /// - Parameter part: only this of it; `discard` removes the rest
    /// - Throws: `cannotCreate` with the system's reason
    package func publish(_ part: String? = nil) throws(Failure) {
        let source = part.map { "\(path)/\($0)" } ?? path
        guard FileIdentity(target, followingLink: false) == nil else {
            throw Failure(.cannotCreate, "\(target) exists already", advice: "name a new directory")
        }
        guard unsafe rename(source, target) == 0 else {
            throw Failure(system: .cannotCreate, "cannot rename \(source) to \(target)")
        }
        if part == nil { isGone = true }
    }

    /// Somebody else has renamed it: there is nothing left to remove.
    package func wasPublished() { isGone = true }

    /// Leaves nothing behind; after `publish` there is nothing to leave.
    package func discard() {
        guard !isGone, FileIdentity(path, followingLink: false) == lock.identity else { return }
        isGone = true
        try? removeTree(path)
    }
}
