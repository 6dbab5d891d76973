package import Diagnostics
import Foundation
import Platform

/// `metrics.csv`: the fields of `metrics.jsonl` as a table, a row for each step. A field with a value for each layer or source is a
/// column for each, `dropped_ratio_by_layer.0` and so on.
///
/// The columns are those of the first record, or of the file that is there: a field that they do not have is left out.
package final class CSVSink: RecordSink {
    private let file: AppendedFile
    private var columns: [String]

    /// Bytes of a first line: columns of thousands of layers.
    private static let longestHeader = 1 << 20

    /// - Throws: `cannotCreate` if the file cannot be written, or begins like no table of records
    package init(_ path: String) throws(Failure) {
        file = try AppendedFile(path)
        columns = try Self.columns(of: path)
    }

    /// - Throws: `cannotCreate` if `path` is there and begins like no table of records
    package static func requireOurs(_ path: String) throws(Failure) {
        if fileExists(path) { _ = try columns(of: path) }
    }

    private static func columns(of path: String) throws(Failure) -> [String] {
        let (folder, name) = splitPath(path)
        let table = try RegularFile(name, in: OpenDirectory(folder))
        guard table.size > 0 else { return [] }
        let start = try table.bytes(from: 0, to: min(table.size, longestHeader))
        let isWhole = start.contains(UInt8(ascii: "\n"))
        let line = String(decoding: start.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        let columns = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        // A job that ended in the middle of its first write leaves the beginning of a header, whose last column may be cut.
        if let foreign = columns.dropLast(isWhole ? 0 : 1).first(where: { !isField($0) }) {
            throw notOurs(path, foreign)
        }
        guard columns[0] == StepRecord.CodingKeys.step.stringValue, isWhole || columns.count > 1 else {
            throw notOurs(path, columns[0])
        }
        return isWhole ? columns : []
    }

    /// A field of records, or one layer of it.
    private static func isField(_ column: String) -> Bool {
        StepRecord.CodingKeys(stringValue: String(column.prefix { $0 != "." })) != nil
    }

    private static func notOurs(_ path: String, _ column: String) -> Failure {
        Failure(
            .cannotCreate,
            "\(path) is no table of records: it has a column `\(visible(String(column.prefix(80))))`, which is not theirs there",
            advice: "move it away, or take csv out of metrics.formats")
    }

    package func resume(after step: Int) throws(Failure) {
        let hasHeader = !columns.isEmpty
        try file.cut { (file) throws(Failure) in
            guard hasHeader else { return 0 }
            let rows = RecordLines { line in
                // A header is a row of step 0: it is never cut off.
                let first = line.prefix { $0 != UInt8(ascii: ",") }
                let text = String(decoding: first, as: UTF8.self)
                return text == StepRecord.CodingKeys.step.stringValue ? 0 : Int(text)
            }
            return try rows.end(ofStepsThrough: step, in: file)
        }
    }

    package func append(_ record: StepRecord) throws(Failure) {
        let values = try FlatRecord(record, for: file.path)
        var text = ""
        if columns.isEmpty {
            columns = Self.columns(of: values)
            text = columns.joined(separator: ",") + "\n"
        }
        let row = Dictionary(uniqueKeysWithValues: values.fields.map { ($0.column, $0.value?.csv ?? "") })
        text += columns.map { row[$0] ?? "" }.joined(separator: ",") + "\n"
        try file.append(text.utf8)
    }

    package func flush() throws(Failure) { try file.flush() }

    /// Those of the record, and of the fields that it does not have.
    private static func columns(of values: FlatRecord) -> [String] {
        FlatRecord.keys.flatMap { key in
            let fields = values[key]
            return fields.isEmpty ? [key.stringValue] : fields.map(\.column)
        }
    }
}

extension FlatRecord.Field {
    fileprivate var column: String { index.map { "\(name).\($0)" } ?? name }
}

extension FlatRecord.Value {
    /// As RFC 4180 quotes. Numbers read back as the same numbers; whole ones have no point.
    fileprivate var csv: String {
        switch self {
        case .flag(let flag): return "\(flag)"
        case .number(let number): return Int(exactly: number).map { "\($0)" } ?? shortest(number)
        case .text(let text):
            let isPlain = !text.contains { ",\"\r\n".contains($0) }
            return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
        }
    }
}
