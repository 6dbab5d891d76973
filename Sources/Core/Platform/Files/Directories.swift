package import Diagnostics

package func fileExists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

/// Makes `path` and the folders above it, if they are missing.
/// - Parameter advice: what to do where that is not possible
/// - Throws: `cannotCreate` with the system's reason
package func makeDirectory(
    _ path: String, advice: String = "choose another with --set run.directory=PATH"
) throws(Failure) {
    if isDirectory(path) { return }
    let parent = splitPath(path).parent
    if parent != path, parent != ".", !isDirectory(parent) { try makeDirectory(parent, advice: advice) }
    // Another process may have been faster.
    guard unsafe mkdir(path, 0o777) == 0 || (errno == EEXIST && isDirectory(path)) else {
        throw Failure(system: .cannotCreate, "the directory \(path) cannot be made", advice: advice)
    }
}

private func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
