import Diagnostics
import Platform

/// A file with a JSON object on every line, a document each; blank lines are passed over.
struct JSONLines: DocumentReader {
    func forEachDocument(
        of file: MappedFile, _ body: (Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let bytes = file.bytes
        var reader = JSONTextReader()
        var start = Self.start(of: bytes), line = 0
        while start < bytes.count {
            line += 1
            let end = Self.endOfLine(in: bytes, from: start)
            if let complaint = reader.read(bytes.extracting(start..<end)) {
                throw Self.refusal(file, line: line, complaint)
            }
            if !reader.text.isEmpty { try body(reader.text.span) }
            start = end + 1
        }
    }

    /// The first line that is not blank.
    struct FirstLine {
        var number = 0
        /// Whether it is a whole JSON object.
        var isObject = false
        /// Why no text can be taken from it.
        var complaint: String?
    }

    /// A longer first line is taken for something else than JSON lines.
    private static let longestFirstLine = 1 << 26

    static func firstLine(of file: MappedFile) -> FirstLine {
        let bytes = file.bytes
        var reader = JSONTextReader(), found = FirstLine()
        var start = start(of: bytes)
        while start < bytes.count {
            found.number += 1
            let limit = min(bytes.count, start + longestFirstLine)
            let end = endOfLine(in: bytes.extracting(0..<limit), from: start)
            let line = bytes.extracting(start..<end)
            guard JSONTextReader.isBlank(line) else {
                guard line[0] == UInt8(ascii: "{") || line[0] <= UInt8(ascii: " ") else { return found }
                found.complaint = reader.read(line)
                found.isObject = reader.isObject
                return found
            }
            start = end + 1
        }
        return found
    }

    static func requireText(_ line: FirstLine, of file: MappedFile) throws(Failure) {
        if let complaint = line.complaint { throw refusal(file, line: line.number, complaint) }
    }

    private static func refusal(_ file: MappedFile, line: Int, _ complaint: String) -> Failure {
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
