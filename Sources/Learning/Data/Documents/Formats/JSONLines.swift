import Diagnostics
import Platform

/// A file with a JSON object on every line, a document each; blank lines are passed over. One line is in memory at a time. The first
/// line decides which field holds the text.
struct JSONLines: DocumentReader {
    static let suffixes = [".jsonl", ".ndjson"]
    static let sharedSuffixes = [SharedSuffix(suffix: ".json", otherwise: "without lines that have a text")]

    static func recognizes(_ file: MappedFile) -> Bool { firstLine(of: file).isObject }

    static func refusal(of file: MappedFile) -> Failure {
        let isTooLong = firstLine(of: file).isTooLong
        let complaint = isTooLong ? "is longer than \(byteCount(longestFirstLine))" : "is not a whole JSON object"
        return Failure(
            .data, "\(file.path) does not hold JSON lines: its first line \(complaint)",
            advice:
                "write one object with a `text` on each line, for example with `jq -c '.[]' FILE` for a list of them; "
                + "to read it as one text, call it .txt")
    }

    private let file: MappedFile
    private var reader: JSONTextReader
    /// Where the next line begins.
    private var start: Int
    /// The number of the last line read.
    private var line = 0
    /// Bytes of its text that have been appended.
    private var appended = 0

    /// - Throws: `data` if no text can be taken from the first line
    init(_ file: MappedFile) throws(Failure) {
        let first = Self.firstLine(of: file)
        if let complaint = first.complaint { throw Self.refusal(of: file, line: first.number, complaint) }
        self.file = file
        reader = JSONTextReader(field: first.field)
        start = Self.start(of: file.bytes)
    }

    /// The field that holds the texts, if it is not `text`.
    var otherField: String? { reader.field == JSONTextReader.fields[0] ? nil : reader.field }

    mutating func read(upTo limit: Int, into text: inout [UInt8]) throws(Failure) -> DocumentPiece {
        if appended == reader.text.count { guard try findText() else { return .endOfFile } }
        let end = min(reader.text.count, appended + limit)
        text.append(contentsOf: reader.text[appended..<end])
        appended = end
        return appended == reader.text.count ? .endOfDocument : .text
    }

    /// Reads lines up to the next one with a text that is not empty.
    private mutating func findText() throws(Failure) -> Bool {
        let file = file, bytes = file.bytes
        appended = 0
        while start < bytes.count {
            line += 1
            let end = Self.endOfLine(in: bytes, from: start)
            if let complaint = reader.read(bytes.extracting(start..<end)) {
                throw Self.refusal(of: file, line: line, complaint)
            }
            start = end + 1
            if !reader.text.isEmpty { return true }
        }
        appended = reader.text.count
        return false
    }

    /// The first line that is not blank.
    private struct FirstLine {
        var number = 0
        /// Whether it is a whole JSON object.
        var isObject = false
        var isTooLong = false
        /// Which of `JSONTextReader.fields` it has; the first if it has none.
        var field = JSONTextReader.fields[0]
        /// Why no text can be taken from it.
        var complaint: String?
    }

    /// In bytes. A longer first line is taken for something else than JSON lines, without being parsed.
    private static let longestFirstLine = 1 << 26

    private static func firstLine(of file: MappedFile) -> FirstLine {
        let bytes = file.bytes
        var found = FirstLine()
        var start = start(of: bytes)
        while start < bytes.count {
            found.number += 1
            // No line is searched for its end that is neither an object nor blank: a text may have but one.
            guard bytes[start] == UInt8(ascii: "{") || bytes[start] <= UInt8(ascii: " ") else { return found }
            let limit = min(bytes.count, start + longestFirstLine)
            let end = endOfLine(in: bytes.extracting(0..<limit), from: start)
            if end == limit, end < bytes.count {
                found.isTooLong = true
                found.complaint = "the line is longer than \(byteCount(longestFirstLine))"
                return found
            }
            let line = bytes.extracting(start..<end)
            guard JSONTextReader.isBlank(line) else {
                let names = Set(JSONMembers.names(in: line.array))
                found.field = JSONTextReader.fields.first(where: names.contains) ?? found.field
                var reader = JSONTextReader(field: found.field)
                found.complaint = reader.read(line)
                found.isObject = reader.isObject
                return found
            }
            start = end + 1
        }
        return found
    }

    private static func refusal(of file: MappedFile, line: Int, _ complaint: String) -> Failure {
        Failure(
            .data, "\(file.path):\(line): \(complaint)",
            advice: #"every line must be a JSON object with a text, such as {"text": "Once upon a time"}"#)
    }

    /// Behind a byte order mark.
    private static func start(of bytes: Span<UInt8>) -> Int {
        bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
    }

    private static func endOfLine(in bytes: Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
        return end
    }
}
