/// Columns of text, aligned for a terminal.
package struct TextTable: Sendable {
    private let header: [String]
    private var rows: [[String]] = []

    package init(_ header: [String]) { self.header = header }

    package mutating func add(_ row: [String]) {
        precondition(row.count == header.count)
        rows.append(row)
    }

    /// The first column to the left, the others to the right.
    package var text: String { text(columns: nil) }

    /// The same on a terminal: a table that is wider is continued below, with its first column again.
    /// - Parameter columns: of the terminal; nil: the table is as wide as it is
    package func text(columns: Int?) -> String {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        var parts: [[Int]] = [[0]], width = widths[0]
        for column in header.indices.dropFirst() {
            if let columns, width + 2 + widths[column] > columns, parts[parts.count - 1].count > 1 {
                parts.append([0])
                width = widths[0]
            }
            parts[parts.count - 1].append(column)
            width += 2 + widths[column]
        }
        return parts.map { text(of: $0, widths) }.joined(separator: "\n\n")
    }

    private func text(of part: [Int], _ widths: [Int]) -> String {
        let lines = ([header] + rows).map { row in
            let cells = part.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + padding : padding + row[column]
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
        return lines.joined(separator: "\n")
    }
}
