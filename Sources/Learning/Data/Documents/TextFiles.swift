package import Diagnostics
import Platform

/// The files of a corpus, and what of its directories is none.
package struct TextListing: Sendable {
    package var files: [TextFile] = []
    package var skipped = SkippedFiles()
    /// Of the files: the field that holds their texts, if it was named.
    fileprivate let textField: String?

    /// Says what is not read, if anything is not.
    func reportSkipped(_ report: (String) -> Void) {
        guard !skipped.isEmpty else { return }
        report("not read: \(skipped)")
    }
}

package func textFiles(at paths: [String], textField: String?) throws(Failure) -> [TextFile] {
    try listTexts(at: paths, textField: textField).files
}

/// The text files that `paths` name, which may be patterns: files as they are, directories with everything below them whose name is that of a
/// text or of JSON lines, in the order of their names; of `.json` those that hold JSON lines with a `text`. Names that begin
/// with a dot are passed over.
/// - Throws: `noInput` for what is missing or unreadable, `data` for a directory without text
package func listTexts(at paths: [String], textField: String?) throws(Failure) -> TextListing {
    var listing = TextListing(textField: textField)
    for path in try matchingPaths(paths) {
        let status = try fileStatus(path)
        guard status.st_mode & S_IFMT == S_IFDIR else {
            listing.files.append(try TextFile(path, textField: textField))
            continue
        }
        var found = TextListing(textField: textField)
        try found.addFiles(below: path, ancestors: [])
        guard !found.files.isEmpty else {
            let others = found.skipped.isEmpty ? "" : "; not read are \(found.skipped)"
            throw Failure(
                .data,
                "\(path) holds no text: no file below it ends in \(DocumentCatalog.suffixes.joined(separator: ", "))\(others)",
                advice: "name the files themselves, unpack them, or rename them")
        }
        listing.files += found.files
        listing.skipped.add(found.skipped)
    }
    return listing
}

extension TextListing {
    /// - Parameter ancestors: inodes of the folders above, so that a link to one of them is not followed for ever
    fileprivate mutating func addFiles(below folder: String, ancestors: [ino_t]) throws(Failure) {
        let inode = try fileStatus(folder).st_ino
        guard !ancestors.contains(inode) else { return }
        // In the order of bytes, not characters: it must not depend on the language of the machine.
        let directory = try OpenDirectory(folder), entries = try directory.entries(), names = Set(entries)
        for bytes in entries {
            guard let name = String(validating: bytes, as: UTF8.self) else {
                skipped.addUnnamed(bytes, in: directory)
                continue
            }
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            if name.hasPrefix(".") {
                skipped.add("hidden", bytes: directory.look(at: bytes)?.bytes ?? 0)
                continue
            }
            let format = DocumentCatalog.format(named: name)
            let isWanted = if case .unknown = format { false } else { true }
            guard let status = isWanted ? try fileStatus(path) : try? fileStatus(path) else {
                skipped.add("that is a broken link", bytes: 0)
                continue
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try addFiles(below: path, ancestors: ancestors + [inode])
            case S_IFREG where DocumentFile.nameUncompressed(name).map { names.contains(Array($0.utf8)) } ?? false:
                skipped.add("compressed beside the same uncompressed", bytes: Int(status.st_size))
            case S_IFREG: try add(path, name, format, bytes: Int(status.st_size))
            default: skipped.add("that is no regular file", bytes: 0)
            }
        }
    }

    private mutating func add(
        _ path: String, _ name: String, _ format: DocumentCatalog.NamedFormat, bytes: Int
    ) throws(Failure) {
        switch format {
        case .certain: files.append(try TextFile(path, textField: textField))
        case .shared(let format, let suffix):
            let file = try TextFile(path, textField: textField)
            if try DocumentCatalog.holdsDocuments(file, of: format) {
                files.append(file)
            } else {
                skipped.add("\(suffix.suffix) \(suffix.otherwise)", bytes: bytes)
            }
        case .unknown: skipped.add(SkippedFiles.kind(of: name), bytes: bytes)
        }
    }
}

extension SkippedFiles {
    /// Folders below a folder whose name is not UTF-8 that are looked into.
    private static let deepest = 64

    /// An entry whose name is not UTF-8: a file, or a folder with every file below it.
    fileprivate mutating func addUnnamed(_ name: [UInt8], in folder: OpenDirectory, level: Int = 0) {
        let found = folder.look(at: name)
        guard found?.kind == .directory else {
            let kind = level == 0 ? "whose name is not UTF-8" : "in a folder whose name is not UTF-8"
            return add(kind, bytes: found?.bytes ?? 0)
        }
        guard level < Self.deepest, let inner = try? folder.subdirectory(name), let names = try? inner.entries() else {
            return add("that is a folder that cannot be listed", bytes: 0)
        }
        for name in names { addUnnamed(name, in: inner, level: level + 1) }
    }
}
