package import Diagnostics
import SwiftCSV

/// Reads a table of runs: one header line of column names, one line a run; comma, semicolon or tab between.
///
/// - Parameters:
///   - text: the file's text
///   - file: its name, for messages
///   - laws: what the runs are for; decides which columns must be there
/// - Throws: a `Failure` that names file, line and column
package func runRecords(csv text: String, file: String, for laws: [LawFacts]) throws(Failure) -> [RunRecord] {
    let table: EnumeratedCSV
    do {
        table = try EnumeratedCSV(string: text, loadColumns: false)
    } catch {
        throw Failure(
            .data, "\(file) is no CSV table: \(error)", advice: "the usual cause is a quote that is not closed")
    }
    let header = table.header.map { $0.filter { !$0.isWhitespace && $0 != "\u{FEFF}" }.lowercased() }
    try check(header, file)
    var records: [RunRecord] = []
    for (index, row) in table.rows.enumerated() {
        // A line of white space is no run.
        if row.allSatisfy({ $0.allSatisfy(\.isWhitespace) }) { continue }
        let place = "\(file):\(index + 2)"
        guard row.count <= header.count else {
            throw Failure(.data, "\(place): \(row.count) values under \(header.count) column names")
        }
        records.append(try columns(row, header, place).record(for: laws))
    }
    guard !records.isEmpty else { throw Failure(.data, "\(file) holds no runs, only a header") }
    return records
}

private func check(_ header: [String], _ file: String) throws(Failure) {
    for (index, name) in header.enumerated() where !name.isEmpty && header[..<index].contains(name) {
        throw Failure(.data, "\(file): the column `\(name)` is there twice")
    }
    guard !header.contains("loss"), !header.contains("leverage") else { return }
    let near = header.first { nearestName(to: $0, among: ["loss"]) != nil }
    throw Failure(
        .data, "\(file): the header has no `loss`; it reads \(header.prefix(12).joined(separator: ", "))",
        advice: (near.map { "is `\($0)` the loss? rename it; " } ?? "")
            + "the columns of a run table are \(RunColumns.names.joined(separator: ", "))")
}

private func columns(_ row: [String], _ header: [String], _ place: String) throws(Failure) -> RunColumns {
    var columns = RunColumns(source: place)
    for (name, field) in zip(header, row) where RunColumns.names.contains(name) {
        let text = field.filter { !$0.isWhitespace }
        if text.isEmpty { continue }
        guard let number = Double(text) else {
            throw Failure(.data, "\(place): `\(name)` is `\(field.prefix(40))`, which is no number")
        }
        columns.values[name] = number
    }
    return columns
}
