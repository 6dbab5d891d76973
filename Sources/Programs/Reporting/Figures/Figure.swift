import Charts

/// A chart of a page, with the numbers behind it.
struct Figure: Sendable {
    let chart: Chart
    /// Nil where a table of the page has the numbers.
    var table: PageTable?
}

/// A table of a page; all cells are text as it is read, not markup.
struct PageTable: Sendable, Equatable {
    let header: [String]
    var rows: [[String]]
    /// Whether the last column is sentences, which may take several lines.
    var endsInProse = false
}

/// What a page shows under one heading.
package struct PageSection: Sendable {
    let title: String
    /// Short facts, as label and value.
    var facts: [(label: String, value: String)] = []
    var paragraphs: [String] = []
    var figures: [Figure] = []
    var tables: [(title: String, table: PageTable)] = []
    /// Long texts that are folded away, such as a configuration.
    var texts: [(title: String, text: String)] = []

    init(_ title: String) { self.title = title }
}
