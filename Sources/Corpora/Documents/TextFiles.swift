package import Diagnostics

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What is taken from a directory; a file that is named itself may be called anything.
private let textSuffixes = [".txt", ".md", ".rst", ".text", ".jsonl"]

/// The text files that `paths` name: files as they are, directories with everything below them that has a suffix of
/// text, in the order of their names. Names that begin with a dot are passed over.
/// - Throws: `noInput` for what is missing or unreadable, `data` for a directory without text
package func textFiles(at paths: [String]) throws(Failure) -> [TextFile] {
    var files: [TextFile] = []
    for path in paths {
        let status = try fileStatus(path)
        guard status.st_mode & S_IFMT == S_IFDIR else {
            files.append(try TextFile(path))
            continue
        }
        let found = try filesBelow(path, ancestors: [])
        guard !found.isEmpty else {
            throw Failure(
                .data, "\(path) holds no text: no file below it ends in \(textSuffixes.joined(separator: ", "))",
                advice: "name the files themselves, or rename them")
        }
        files += found
    }
    return files
}

/// - Parameter ancestors: inodes of the folders above, so that a link to one of them is not followed for ever
private func filesBelow(_ folder: String, ancestors: [ino_t]) throws(Failure) -> [TextFile] {
    let inode = try fileStatus(folder).st_ino
    guard !ancestors.contains(inode) else { return [] }
    let names: [String]
    do {
        names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
        throw Failure(.noInput, "cannot list \(folder): \(error)")
    }
    var files: [TextFile] = []
    // Bytes, not characters: the order must not depend on the language of the machine.
    for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) where !name.hasPrefix(".") {
        let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
        let kind = try fileStatus(path).st_mode & S_IFMT
        if kind == S_IFDIR {
            files += try filesBelow(path, ancestors: ancestors + [inode])
        } else if kind == S_IFREG, textSuffixes.contains(where: name.hasSuffix) {
            files.append(try TextFile(path))
        }
    }
    return files
}
