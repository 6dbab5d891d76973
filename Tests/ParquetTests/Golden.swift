import Diagnostics
import Foundation
import Parquet

/// The files of scripts/golden/parquet.py.
enum Golden {
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.filter { $0.hasSuffix(".parquet") }.map { String($0.dropLast(8)) }.sorted()
    }()

    private static let folder = Bundle.module.resourcePath.map { $0 + "/Golden" } ?? "Golden"

    static func path(_ name: String) -> String { "\(folder)/\(name).parquet" }

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    /// The texts that pyarrow was given, without the nulls.
    static func expected(_ name: String) throws -> [String] {
        if name == "long" {
            let long = (0..<800_000).map { "\($0 % 1000)" }.joined(separator: " ")
            return ["first", long, "", long + ".", "last"]
        }
        let file = name.hasPrefix("rows-") ? "rows" : name
        let lines = try String(contentsOfFile: "\(folder)/\(file).jsonl", encoding: .utf8).split(separator: "\n")
        return try lines.compactMap { try JSONDecoder().decode([String?].self, from: Data("[\($0)]".utf8))[0] }
    }

    /// The column with the texts.
    static func column(_ name: String) -> String { name.hasPrefix("nested") ? "a.b" : "text" }
}

/// All texts of a column.
func texts(_ path: String, _ column: String = "text") throws(Failure) -> [[UInt8]] {
    var texts = try ParquetFile(path).texts(inFirstOf: [column]), found: [[UInt8]] = []
    while try texts.next() {
        var text: [UInt8] = []
        texts.append(0..<texts.count, to: &text)
        found.append(text)
    }
    return found
}

/// Writes `bytes` to a file for the time of `body`.
func withFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
    let path = FileManager.default.temporaryDirectory.appending(path: "parquet-\(UUID().uuidString)").path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return try body(path)
}
