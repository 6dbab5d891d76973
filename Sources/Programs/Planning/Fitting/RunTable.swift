package import Diagnostics
import Platform
import SwiftCSV

/// Runs as a table holds them.
package struct RunTable: Sendable {
    package var records: [RunMeasurement] = []
    /// Columns that no law reads.
    package var otherColumns: [String] = []
}

/// Reads a table of runs: one header line of column names, one line a run; comma, semicolon or tab between.
///
/// - Parameters:
///   - text: the file's text
///   - file: its name, for messages
///   - needs: of those who read the runs: which columns must be there
/// - Throws: a `Failure` that names file, line and column
package func runTable(csv text: String, file: String, for needs: RunNeeds) throws(Failure) -> RunTable {
    let table: EnumeratedCSV
    do {
        table = try EnumeratedCSV(string: text, loadColumns: false)
    } catch {
        throw Failure(
            .data, "\(file) is no CSV table: \(error)", advice: "the usual cause is a quote that is not closed")
    }
    let header = table.header.map { $0.filter { !$0.isWhitespace && $0 != "\u{FEFF}" }.lowercased() }
    try check(header, file)
    var runs = RunTable()
    runs.otherColumns = header.filter { !$0.isEmpty && !RunColumns.names.contains($0) }
    var line = 1 + table.header.reduce(0) { $0 + $1.count(where: \.isNewline) }
    for row in table.rows {
        line += 1
        let place = "\(file):\(line)"
        // A quoted field may go over several lines.
        line += row.reduce(0) { $0 + $1.count(where: \.isNewline) }
        // The parser fills all rows up to the longest with empty fields; a line of white space is no run.
        let values = 1 + (row.lastIndex { !$0.allSatisfy(\.isWhitespace) } ?? -1)
        if values == 0 { continue }
        guard values <= header.count else {
            throw Failure(
                .data, "\(place): \(values) values under \(header.count) column names",
                advice: "give each column a name, and quote values that hold the separator")
        }
        runs.records.append(try columns(row, header, place).record(for: needs))
    }
    guard !runs.records.isEmpty else { throw Failure(.data, "\(file) holds no runs, only a header") }
    return runs
}

private func check(_ header: [String], _ file: String) throws(Failure) {
    for (index, name) in header.enumerated() where !name.isEmpty && header[..<index].contains(name) {
        throw Failure(.data, "\(file): the column `\(name)` is there twice")
    }
    guard header.contains("loss") || header.contains("leverage") else { throw noLoss(header, file) }
    for name in header where !name.isEmpty && !RunColumns.names.contains(name) {
        // `val_loss` beside `loss` is a column of its own; without `granularity`, `granularty` is that one misspelled.
        let absent = RunColumns.names.filter { !header.contains($0) }
        guard let near = nearestName(to: name, among: absent), isMisspelling(name, of: near) else { continue }
        throw Failure(
            .data, "\(file): unknown column `\(name)`; did you mean `\(near)`?",
            advice: "rename or remove it; the columns of a run table are \(RunColumns.names.joined(separator: ", "))")
    }
}

/// Whether two names differ by so few letters that one is the other misspelled.
private func isMisspelling(_ name: String, of known: String) -> Bool {
    let plain = { (name: String) in name.filter { $0.isLetter || $0.isNumber } }
    if plain(name) == plain(known) { return true }
    return editDistance(name, known) <= max(1, known.count / 4)
}

private func noLoss(_ header: [String], _ file: String) -> Failure {
    let near = header.first { nearestName(to: $0, among: ["loss"]) != nil }
    return Failure(
        .data, "\(file): the header has no `loss`; it reads \(header.prefix(12).joined(separator: ", "))",
        advice: (near.map { "is `\($0)` the loss? rename it; " } ?? "")
            + "the columns of a run table are \(RunColumns.names.joined(separator: ", "))")
}

private func columns(_ row: [String], _ header: [String], _ place: String) throws(Failure) -> RunColumns {
    var columns = RunColumns(source: place)
    for (name, field) in zip(header, row) where RunColumns.names.contains(name) {
        let text = field.filter { !$0.isWhitespace }
        if text.isEmpty { continue }
        // Swift also reads hexadecimal numbers and payloads of NaN, which no table means.
        let isDecimal = !text.lowercased().contains("x") && !text.contains("(")
        guard isDecimal, let number = Double(text) else {
            throw Failure(.data, "\(place): `\(name)` is `\(field.prefix(40))`, which is no number")
        }
        columns.values[name] = number
    }
    return columns
}
