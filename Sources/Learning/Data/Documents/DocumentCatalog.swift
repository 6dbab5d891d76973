import Diagnostics

/// The formats of files with documents.
///
/// A file is of the format that reads its signature, if it has one; otherwise of the format that its name says; otherwise of the
/// first one that recognizes its contents. Upper and lower case of names are the same. docs/token-files.md has the table.
enum DocumentCatalog {
    /// In the order in which they look at the contents; the last one recognizes every file.
    static let formats: [any DocumentReader.Type] = [ParquetColumn.self, JSONLines.self, WholeText.self]

    /// The suffixes of names for which directories are read.
    static var suffixes: [String] { formats.reversed().flatMap { $0.suffixes } }

    /// What a name says of a file.
    enum NamedFormat {
        case certain(any DocumentReader.Type)
        case shared(any DocumentReader.Type, SharedSuffix)
        case unknown
    }

    /// - Parameter name: of a file; how it is compressed does not count
    static func format(named name: String) -> NamedFormat {
        let name = (DocumentFile.nameUncompressed(name) ?? name).lowercased()
        for format in formats {
            if format.suffixes.contains(where: name.hasSuffix) { return .certain(format) }
            if let suffix = format.sharedSuffixes.first(where: { name.hasSuffix($0.suffix) }) {
                return .shared(format, suffix)
            }
        }
        return .unknown
    }

    /// - Throws: `data` for a file whose signature no format reads, or whose contents are not what its name says
    static func format(of file: DocumentFile) throws(Failure) -> any DocumentReader.Type {
        if let signature = try file.signature() {
            if let format = formats.first(where: { $0.signatures.contains(signature) }) { return format }
            let kind = file.compression == nil ? signature.inWords : "\(signature.inWords) that was compressed again"
            throw Failure(.data, "\(file.path) is \(kind), which is not read", advice: signature.advice)
        }
        switch format(named: file.path) {
        case .certain(let format): return format
        case .shared(let format, _):
            // An empty file has no documents in any format.
            if file.isEmpty { return format }
            guard try format.recognizes(file) else { throw try format.refusal(of: file) }
            return format
        case .unknown:
            for format in formats where try format.recognizes(file) { return format }
            return WholeText.self
        }
    }

    /// - Throws: as `format(of:)`; `data` for a file whose beginning shows that it cannot be read
    static func reader(of file: DocumentFile) throws(Failure) -> any DocumentReader {
        try format(of: file).init(file)
    }

    /// Whether a file with a shared suffix, met in a directory, has documents of the format.
    /// - Throws: `noInput` if it cannot be read, `data` for a compressed file that is damaged
    static func holdsDocuments(_ text: TextFile, of format: any DocumentReader.Type) throws(Failure) -> Bool {
        let file = try DocumentFile(text)
        guard !file.isEmpty, try format.recognizes(file) else { return false }
        return (try? format.init(file)) != nil
    }
}

/// Looks at the beginning of every file that will be read, so that one that cannot be is not found hours later.
/// - Parameter report: takes what a user may not have meant
/// - Throws: as `DocumentCatalog.reader`
func requireReaders(for files: [TextFile], report: (String) -> Void) throws(Failure) {
    var doubtful: [String] = [], otherFields: [String: [String]] = [:]
    var column: (name: String, file: String)?
    for file in files where !file.holdsTokens {
        let contents = try DocumentFile(file)
        let reader = try DocumentCatalog.reader(of: contents)
        if reader is WholeText, try JSONLines.recognizes(contents) { doubtful.append(file.path) }
        if let found = (reader as? ParquetColumn)?.column {
            try requireSameColumn(found, of: file.path, as: column)
            column = (found, file.path)
        }
        if let field = reader.otherField { otherFields[field, default: []].append(file.path) }
    }
    for (field, files) in otherFields.sorted(by: { $0.key < $1.key }) {
        report(
            "the texts of \(files.count == 1 ? files[0] : "\(files.count) files such as \(files[0])") are in the field `\(field)`"
        )
    }
    guard let first = doubtful.first else { return }
    report(
        "\(doubtful.count == 1 ? first : "\(doubtful.count) files such as \(first)") "
            + "\(doubtful.count == 1 ? "looks" : "look") like JSON lines under a text's name: read as one document a file; "
            + "call it .jsonl to read one a line")
}

/// Tables of one corpus have their texts in one column: where they do not, it is more likely that a column is another one than that it
/// has another name.
private func requireSameColumn(
    _ column: String, of file: String, as other: (name: String, file: String)?
) throws(Failure) {
    guard let other, other.name != column else { return }
    throw Failure(
        .data, "\(file) has its texts in the column `\(column)`, and \(other.file) in `\(other.name)`",
        advice: "name the column: data.text_field (--text-field); where its name differs, tokenize the files apart")
}
