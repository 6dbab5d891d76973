package import Diagnostics

/// The paths that `text` names: those that match it, if it is a pattern of the shell and no file has this very name, otherwise `text`.
///
/// A pattern has `*`, `?` or `[…]`, which match no slash, and no point at the beginning of a name (POSIX, `glob`); `?` is one byte.
/// Paths are in the order of their bytes: neither may depend on the language of the machine.
/// - Throws: `noInput` if nothing matches or a folder cannot be listed, `data` for a name that is not UTF-8
package func matchingPaths(_ text: String) throws(Failure) -> [String] {
    guard text.utf8.contains(where: "*?[".utf8.contains), !fileExists(text) else { return [text] }
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    // A folder that is not there holds nothing that matches; one that cannot be listed may.
    let endsSearch: @convention(c) (UnsafePointer<CChar>?, Int32) -> Int32 = { _, error in
        error == ENOENT || error == ENOTDIR ? 0 : 1
    }
    switch unsafe glob(text, GLOB_NOSORT, endsSearch, &found) {
    case 0: break
    case GLOB_NOMATCH:
        throw Failure(
            .noInput, "no file matches `\(text)`",
            advice: "`*` and `?` match no slash: name each folder, or the folder itself")
    case GLOB_NOSPACE: throw Failure(.unavailable, "there is no memory to list what matches `\(text)`")
    default: throw Failure(system: .noInput, "cannot list what matches `\(text)`")
    }
    var paths: [[UInt8]] = []
    for index in 0..<(unsafe Int(found.gl_pathc)) {
        guard let path = unsafe found.gl_pathv[index] else { continue }
        paths.append(unsafe Array(UnsafeRawBufferPointer(start: path, count: strlen(path))))
    }
    var names: [String] = []
    for path in paths.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
        guard let name = String(validating: path, as: UTF8.self) else {
            throw Failure(
                .data,
                "\(String(decoding: path, as: UTF8.self)), which `\(text)` matches, has a name that is not UTF-8",
                advice: "rename it, or name the folder, of which such files are left out")
        }
        names.append(name)
    }
    return names
}

/// `matchingPaths` of each of `texts`, one after the other.
/// - Throws: as that
package func matchingPaths(_ texts: [String]) throws(Failure) -> [String] {
    var paths: [String] = []
    for text in texts { paths += try matchingPaths(text) }
    return paths
}
