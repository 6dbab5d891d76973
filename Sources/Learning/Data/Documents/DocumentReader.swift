import Diagnostics
import Platform

/// Takes the documents out of one kind of file. `documentReader(for:)` chooses among the implementations; another format is
/// another implementation and a line there.
protocol DocumentReader {
    /// Calls `body` with the text of each document in order; empty documents are passed over.
    /// - Throws: `data` naming line or byte for what is not of this kind; what `body` throws
    func forEachDocument(of file: MappedFile, _ body: (Span<UInt8>) throws(Failure) -> Void) throws(Failure)
}

/// Chooses by name, and by content where the name does not decide.
///
/// | name | read as |
/// |---|---|
/// | `.jsonl`, `.ndjson` | JSON lines |
/// | `.txt`, `.md`, `.rst`, `.text` | one text |
/// | `.json` | JSON lines, or refused |
/// | any other | JSON lines if its first line is a JSON object, otherwise one text |
///
/// Upper and lower case are the same.
/// - Throws: `data` for what is compressed or of another kind, and for JSON lines whose first has no `text`
func documentReader(for file: MappedFile) throws(Failure) -> any DocumentReader {
    if let signature = FileSignature(file.bytes) {
        throw Failure(.data, "\(file.path) is \(signature.inWords), which is not read", advice: signature.advice)
    }
    let firstLine = JSONLines.firstLine(of: file)
    switch TextName(file.path) {
    case .text: return WholeText(looksLikeJSONLines: firstLine.isObject)
    case .jsonLines: break
    case .json:
        guard firstLine.isObject || file.count == 0 else { throw noJSONLines(file) }
    case .other:
        guard firstLine.isObject else { return WholeText(looksLikeJSONLines: false) }
    }
    try JSONLines.requireText(firstLine, of: file)
    return JSONLines()
}

private func noJSONLines(_ file: MappedFile) -> Failure {
    Failure(
        .data, "\(file.path) does not hold JSON lines: its first line is not a whole JSON object",
        advice: "write one object with a `text` on each line, for example with `jq -c '.[]' FILE` for a list of them; "
            + "to read it as one text, call it .txt")
}

/// What the name of a file says about its contents.
enum TextName {
    case text, jsonLines, json, other

    static let textSuffixes = [".txt", ".md", ".rst", ".text"]
    static let lineSuffixes = [".jsonl", ".ndjson"]

    init(_ path: String) {
        let name = path.lowercased()
        if Self.textSuffixes.contains(where: name.hasSuffix) {
            self = .text
        } else if Self.lineSuffixes.contains(where: name.hasSuffix) {
            self = .jsonLines
        } else {
            self = name.hasSuffix(".json") ? .json : .other
        }
    }
}

extension TextFile {
    /// As `DocumentReader.forEachDocument`, with the reader that name and content ask for.
    func forEachDocument(_ body: (Span<UInt8>) throws(Failure) -> Void) throws(Failure) {
        let file = try MappedFile(path)
        try documentReader(for: file).forEachDocument(of: file, body)
    }
}

/// Looks at the beginning of every file that will be read, so that one that cannot be is not found hours later.
/// - Parameter report: takes what a user may not have meant
/// - Throws: as `documentReader`
func requireReaders(for files: [TextFile], report: (String) -> Void) throws(Failure) {
    var doubtful: [String] = []
    for file in files where !file.holdsTokens {
        let reader = try documentReader(for: MappedFile(file.path))
        if (reader as? WholeText)?.looksLikeJSONLines == true { doubtful.append(file.path) }
    }
    guard let first = doubtful.first else { return }
    report(
        "\(doubtful.count == 1 ? first : "\(doubtful.count) files such as \(first)") "
            + "\(doubtful.count == 1 ? "looks" : "look") like JSON lines under a text's name: read as one document a file; "
            + "call it .jsonl to read one a line")
}
