import Foundation
import Platform
import Reporting

/// The terminal at standard output as a page that is written again and again: each line over the one that was there, so that
/// nothing flickers. The last page stays.
final class TerminalScreen {
    /// Lines of the last page.
    private var height = 0

    /// - Throws: as `StandardOutput.write`
    init() throws { try StandardOutput.write("\u{1B}[?25l", terminator: "") }

    /// The size of the terminal; where it does not say, that of a usual one.
    static var size: TerminalSize {
        let (columns, rows) = terminalSize(of: 1) ?? (80, 24)
        let environment = ProcessInfo.processInfo.environment
        let names = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.filter { !$0.isEmpty }
        let locale = names.first?.uppercased() ?? ""
        return TerminalSize(
            columns: columns, rows: rows, hasUnicode: locale.contains("UTF-8") || locale.contains("UTF8"))
    }

    /// Whether colors are wanted: on a terminal, unless `NO_COLOR` is set (no-color.org).
    static var hasColors: Bool {
        let environment = ProcessInfo.processInfo.environment
        return isatty(1) == 1 && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    /// Writes a page over the last one.
    /// - Throws: as `StandardOutput.write`
    func show(_ lines: [String]) throws {
        // Up to the first line of the last page; each line and what is below the last are erased to their ends.
        let back = height > 1 ? "\u{1B}[\(height - 1)A" : ""
        let page = lines.map { "\r\($0)\u{1B}[K" }.joined(separator: "\n")
        try StandardOutput.write(back + page + "\u{1B}[J", terminator: "")
        height = lines.count
    }

    /// Gives the cursor back.
    func leave() throws { try StandardOutput.write("\u{1B}[?25h") }
}
