package import Diagnostics

/// The file that a user means who names `path` as an output: through symbolic links the one that they lead to, which need
/// not exist yet. What is written whole gets its name by a rename, which would replace the link.
/// - Throws: `cannotCreate` for links that lead in a circle
package func outputPath(_ path: String) throws(Failure) -> String {
    var place = path
    for _ in 0..<40 {
        guard let target = linkTarget(place) else { return place }
        let folder = splitPath(place).parent
        place = target.hasPrefix("/") ? target : folder == "." ? target : "\(folder)/\(target)"
    }
    throw Failure(
        .cannotCreate, "\(path) is a symbolic link that leads nowhere", advice: "remove it, or name another file")
}

private func linkTarget(_ path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe readlink(path, &bytes, bytes.count - 1)
    return count > 0 ? String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
}

/// Refuses to put a file where something else is: a link that nobody named would be replaced, or followed out of the
/// directory, a pipe would be replaced.
/// - Throws: `cannotCreate` if `path` is there and no regular file
package func requireFileOrNothing(at path: String) throws(Failure) {
    var found = stat()
    guard unsafe lstat(path, &found) == 0, !found.isRegularFile else { return }
    throw Failure(
        .cannotCreate, "\(path) cannot be written: it is not a regular file",
        advice: "move away what is there, or write to another place")
}

/// Writes a file whole or not at all, in place of the one that is there, whose permissions it gets.
/// - Throws: `cannotCreate` with the system's reason, also where a link or a pipe is in its place
package func replaceFile(_ path: String, with bytes: [UInt8]) throws(Failure) {
    try requireFileOrNothing(at: path)
    let (folder, name) = splitPath(path)
    let digits = hexadecimal(UInt64.random(in: 0...UInt64.max))
    let partial = "\(folder)/.\(String(decoding: name.utf8.prefix(200), as: UTF8.self)).\(digits)"
    let file = unsafe open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw Failure(system: .cannotCreate, "\(path) cannot be written") }
    defer { close(file) }
    var old = stat()
    if unsafe lstat(path, &old) == 0 { _ = fchmod(file, old.st_mode & 0o777) }
    guard writeAll(bytes, to: file), fsync(file) == 0, unsafe rename(partial, path) == 0 else {
        let failure = Failure(system: .cannotCreate, "\(path) cannot be written")
        unsafe unlink(partial)
        throw failure
    }
}

/// - Returns: false if not all could be written; `errno` says why
package func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    unsafe bytes.withUnsafeBytes { all in
        var done = 0
        while done < all.count {
            let count = unsafe write(descriptor, all.baseAddress! + done, all.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}
