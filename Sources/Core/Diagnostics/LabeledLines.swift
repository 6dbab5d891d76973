/// `label  value` lines, the values below each other. On a terminal of `columns` a longer value goes on in further lines below its
/// beginning, divided between words; nil: each is one line.
package func labeledLines(_ rows: [(label: String, value: String)], columns: Int? = nil) -> String {
    let width = (rows.map(\.label.count).max() ?? 0) + 2, indent = String(repeating: " ", count: width)
    return rows.map { row in
        let lines = wrapped(row.value, to: columns.map { max(20, $0 - width) })
        return row.label + indent.dropFirst(row.label.count) + lines.joined(separator: "\n" + indent)
    }.joined(separator: "\n")
}

/// `text` in lines of at most `width` characters, if its words are no longer.
private func wrapped(_ text: String, to width: Int?) -> [String] {
    guard let width, text.count > width else { return [text] }
    var lines: [String] = [], line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
        if !line.isEmpty, line.count + 1 + word.count > width {
            lines.append(line)
            line = String(word)
        } else {
            line += (line.isEmpty ? "" : " ") + word
        }
    }
    return lines + [line]
}
