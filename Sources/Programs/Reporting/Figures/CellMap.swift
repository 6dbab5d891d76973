import Charts
import Diagnostics

/// Values of rows and columns as colors.
struct CellMap {
    let title, unit: String
    let x: Axis
    /// What a row is: `layer` or `expert`.
    let row: String
    /// Where the columns begin, and at last where they end.
    let edges: [Double]
    /// By column and row; nil where there is none.
    let values: [[Double?]]
    /// The values of the scale's first color and of its last.
    let scale: ClosedRange<Double>
    /// What a column is, for its cells' names.
    let column: @Sendable (Int) -> String

    private var rows: Int { values.map(\.count).max() ?? 0 }

    /// - Parameter table: the numbers; nil: those of the last column
    func figure(table: PageTable? = nil) -> Figure {
        var chart = Chart(
            title: title, subtitle: unit, x: x,
            y: Axis("by \(row)", .linear, covering: [-0.5, Double(rows) - 0.5], room: 0) { place in
                place == place.rounded() ? decimals(place, 0) : ""
            })
        chart.showsGrid = false
        for (number, column) in values.enumerated() {
            for (place, value) in column.enumerated() {
                if let value { chart.marks.append(cell(number, place, value)) }
            }
        }
        let (least, most) = (scale.lowerBound, scale.upperBound)
        chart.legend = [0, 0.5, 1].map { (.ordered($0), significant(least + $0 * (most - least), 3)) }
        return Figure(chart: chart, table: table ?? lastColumn)
    }

    private func cell(_ number: Int, _ place: Int, _ value: Double) -> Chart.Mark {
        let share = (value - scale.lowerBound) / (scale.upperBound - scale.lowerBound), center = Double(place)
        return .cell(
            edges[number]...edges[number + 1], center - 0.5...center + 0.5, color: .ordered(min(max(share, 0), 1)),
            name: "\(row) \(place), \(column(number)): \(significant(value, 3))")
    }

    /// What the rows have come to.
    private var lastColumn: PageTable {
        PageTable(
            header: [row, "at the end"],
            rows: (values.last ?? []).enumerated().map {
                ["\($0.offset)", $0.element.map { significant($0, 4) } ?? ""]
            })
    }
}

extension CellMap {
    /// Columns of a map over time that can be told apart.
    static let mostColumns = 96

    /// A map over the tokens of a run.
    /// - Parameter tokens: up to the end of each column
    init(
        overTokens tokens: [Double], _ title: String, _ unit: String, row: String, values: [[Double?]],
        scale: ClosedRange<Double>
    ) {
        self.init(
            title: title, unit: unit,
            x: Axis("training tokens", .linear, covering: [0, tokens.last ?? 1], room: 0, write: shortCount), row: row,
            edges: [0] + tokens, values: values, scale: scale,
            column: { "\(shortCount(tokens[$0])) tokens" })
    }
}
