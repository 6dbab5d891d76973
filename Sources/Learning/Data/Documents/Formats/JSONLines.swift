import Diagnostics

/// A file with a JSON object on every line, a document each; blank lines are passed over. One line is in memory at a time. The first
/// line decides which field holds the text.
struct JSONLines: DocumentReader {
    static let suffixes = [".jsonl", ".ndjson"]
    static let sharedSuffixes = [SharedSuffix(suffix: ".json", otherwise: "without lines that have a text")]

    static func recognizes(_ file: DocumentFile) throws(Failure) -> Bool { try firstLine(of: file).isObject }

    static func refusal(of file: DocumentFile) throws(Failure) -> Failure {
        let isTooLong = try firstLine(of: file).isTooLong
        let complaint = isTooLong ? "is longer than \(byteCount(longestFirstLine))" : "is not a whole JSON object"
        return Failure(
            .data, "\(file.path) does not hold JSON lines: its first line \(complaint)",
            advice:
                "write one object with a `text` on each line, for example with `jq -c '.[]' FILE` for a list of them; "
                + "to read it as one text, call it .txt")
    }

    private let path: String
    private var lines: LineReader
    private var reader: JSONTextReader
    /// Bytes of the last line's text that have been appended.
    private var appended = 0

    /// - Throws: `data` if no text can be taken from the first line
    init(_ file: DocumentFile) throws(Failure) {
        let first = try Self.firstLine(of: file)
        if let complaint = first.complaint { throw Self.refusal(of: file.path, line: first.number, complaint) }
        path = file.path
        lines = try LineReader(file)
        reader = JSONTextReader(field: first.field)
        otherField = file.textField == nil && first.field != usualTextFields[0] ? first.field : nil
    }

    var position: Int { lines.position }

    /// The field that holds the texts, if it was not named and is not `text`.
    let otherField: String?

    mutating func read(upTo limit: Int, into text: inout [UInt8]) throws(Failure) -> DocumentPiece {
        if appended == reader.text.count { guard try findText() else { return .endOfFile } }
        let end = min(reader.text.count, appended + limit)
        text.append(contentsOf: reader.text[appended..<end])
        appended = end
        return appended == reader.text.count ? .endOfDocument : .text
    }

    /// Reads lines up to the next one with a text that is not empty.
    private mutating func findText() throws(Failure) -> Bool {
        appended = 0
        while true {
            let complaint: String?
            switch try lines.next(upTo: Self.longestLine) {
            case .none:
                appended = reader.text.count
                return false
            case .tooLong: complaint = "the line is longer than \(byteCount(Self.longestLine))"
            case .bytes(let line): complaint = reader.read(line)
            }
            if let complaint { throw Self.refusal(of: path, line: lines.number, complaint) }
            if !reader.text.isEmpty { return true }
        }
    }

    /// The first line that is not blank.
    private struct FirstLine {
        var number = 0
        /// Whether it is a whole JSON object.
        var isObject = false
        var isTooLong = false
        /// The field that was named, or else which of `usualTextFields` it has; the first of these if it has none.
        var field = usualTextFields[0]
        /// Why no text can be taken from it.
        var complaint: String?

        /// - Parameters:
        ///   - line: a line that is not blank
        ///   - named: the field that was named, if one was
        mutating func look(at line: [UInt8], for named: String?) {
            let names = Set(JSONMembers.names(in: line))
            field = named ?? usualTextFields.first(where: names.contains) ?? field
            var reader = JSONTextReader(field: field)
            complaint = reader.read(line)
            isObject = reader.isObject
        }
    }

    /// In bytes: what a line takes is in memory several times.
    private static let longestLine = 1 << 30
    /// In bytes. A longer first line is taken for something else than JSON lines, without being parsed.
    private static let longestFirstLine = 1 << 26

    private static func firstLine(of file: DocumentFile) throws(Failure) -> FirstLine {
        var lines = try LineReader(file), found = FirstLine()
        while let first = try lines.firstByte() {
            // No line is searched for its end that is neither an object nor blank: a text may have but one.
            guard first == UInt8(ascii: "{") || first <= UInt8(ascii: " ") else { return found }
            switch try lines.next(upTo: longestFirstLine) {
            case .none: return found
            case .tooLong:
                found.number = lines.number
                found.isTooLong = true
                found.complaint = "the line is longer than \(byteCount(longestFirstLine))"
                return found
            case .bytes(let line):
                found.number = lines.number
                guard JSONTextReader.isBlank(line) else {
                    found.look(at: line, for: file.textField)
                    return found
                }
            }
        }
        return found
    }

    private static func refusal(of path: String, line: Int, _ complaint: String) -> Failure {
        Failure(
            .data, "\(path):\(line): \(complaint)",
            advice: #"every line must be a JSON object with a text, such as {"text": "Once upon a time"}; "#
                + "data.text_field (--text-field) names another field")
    }
}
