import Foundation
import Platform
import Reporting

/// The terminal at standard output as a page that is written again and again: each line over the one that was there, so that
/// nothing flickers. The cursor stands below the page, so that whatever ends or halts the program leaves a terminal in order.
struct TerminalScreen {
    /// Lines of the last page.
    private var height = 0

    /// The size of the terminal; where it does not say, that of a usual one.
    static var size: TerminalSize {
        let (columns, rows) = terminalSize(of: 1) ?? (80, 24)
        let environment = ProcessInfo.processInfo.environment
        let names = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.filter { !$0.isEmpty }
        let locale = names.first?.uppercased() ?? ""
        return TerminalSize(
            columns: columns, rows: rows, hasUnicode: locale.contains("UTF-8") || locale.contains("UTF8"))
    }

    /// What a page may take of it.
    var room: TerminalSize {
        var size = Self.size
        size.rows = max(1, size.rows - 1)
        return size
    }

    /// Whether colors are wanted: on a terminal, unless `NO_COLOR` is set (no-color.org).
    static var hasColors: Bool {
        let environment = ProcessInfo.processInfo.environment
        return isatty(1) == 1 && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    /// Writes a page over the last one.
    /// - Throws: as `StandardOutput.write`
    mutating func show(_ lines: [String]) throws {
        // Up to the first line of the last page; each line and what is below the last are erased to their ends.
        let back = height > 0 ? "\u{1B}[\(height)A" : ""
        let page = lines.map { "\r\($0)\u{1B}[K\n" }.joined()
        try StandardOutput.write(back + page + "\u{1B}[J", terminator: "")
        height = lines.count
    }
}
