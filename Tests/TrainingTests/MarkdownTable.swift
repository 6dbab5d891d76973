import Foundation
import Testing

/// The project's pages as its readers see them, found from where this file lies.
enum Pages {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Every page that a user is pointed to.
    static func all() throws -> [String] {
        let below = FileManager.default.enumerator(atPath: root.appending(path: "docs").path())
        let docs = (below?.allObjects as? [String] ?? []).filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }
        return ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "cluster/README.md"] + docs.sorted()
    }
}

/// The rows of a page's tables, cell by cell, without the heads.
struct MarkdownTable {
    var rows: [[String]] = []

    /// - Parameters:
    ///   - path: of the page
    ///   - head: the first cell of the tables' heads
    ///   - section: the page from this heading to the next of its rank; nil for all of it
    init(_ path: String, head: String, section: String? = nil) throws {
        var lines = try Pages.text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let section {
            let start = try #require(lines.firstIndex(of: section), "\(path) has no heading \(section)")
            let rank = section.prefix { $0 == "#" } + " "
            lines = Array(lines[(start + 1)...].prefix { !$0.hasPrefix(rank) })
        }
        var isInside = false
        for line in lines {
            guard line.hasPrefix("|") else {
                isInside = false
                continue
            }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            if cells.first == head { isInside = true } else if isInside, !line.hasPrefix("|-") { rows.append(cells) }
        }
    }

    /// The text between the first pair of backticks, or all of it.
    static func code(_ cell: String) -> String {
        let parts = cell.split(separator: "`", omittingEmptySubsequences: false)
        return parts.count > 2 ? String(parts[1]) : cell
    }

    /// Every text between backticks.
    static func codes(_ text: String) -> [String] {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
    }
}
