import Charts
import Diagnostics

/// A map of a number of every layer over the tokens of a run.
struct LayerMap {
    /// Columns that can be told apart.
    private static let columns = 96

    /// Upper ends of the columns.
    private let tokens: [Double]
    /// By column and layer.
    private let values: [[Double?]]

    init(_ points: [RecordPoint], _ quantity: KeyPath<RecordPoint, [ValueRange]>) {
        let stride = max(1, (points.count + Self.columns - 1) / Self.columns)
        let starts = Array(Swift.stride(from: 0, to: points.count, by: stride))
        tokens = starts.map { Double(points[min($0 + stride, points.count) - 1].tokens) }
        values = starts.map { start in
            var column: [ValueRange] = []
            for point in points[start..<min(start + stride, points.count)] {
                for (layer, value) in point[keyPath: quantity].enumerated() {
                    if layer < column.count { column[layer].add(value) } else { column.append(value) }
                }
            }
            return column.map(\.mean)
        }
    }

    /// The most loaded expert's assignments over the mean; nil for a model without several experts.
    var imbalance: Figure? {
        map("Load of the most loaded expert", "over the mean of the layer's experts: 1 is even", from: 1)
    }

    var drops: Figure? { map("Dropped assignments by layer", "% of the layer's assignments", from: 0) }

    /// - Parameter least: the value that is drawn in the scale's first color; a map of nothing else is none
    private func map(_ title: String, _ unit: String, from least: Double) -> Figure? {
        let all = values.flatMap { $0.compactMap(\.self) }
        guard tokens.count > 1, let most = all.max(), most > least else { return nil }
        let layers = values.map(\.count).max() ?? 0
        var chart = Chart(
            title: title, subtitle: unit,
            x: Axis("training tokens", .linear, covering: [0, tokens.last ?? 1], room: 0, write: shortCount),
            y: Axis("by layer", .linear, covering: [-0.5, Double(layers) - 0.5], room: 0) { layer in
                layer == layer.rounded() ? decimals(layer, 0) : ""
            })
        chart.showsGrid = false
        for (column, layer) in values.indices.flatMap({ column in values[column].indices.map { (column, $0) } }) {
            guard let value = values[column][layer] else { continue }
            let xs = (column > 0 ? tokens[column - 1] : 0)...tokens[column]
            let place = (value - least) / (most - least), center = Double(layer)
            chart.marks.append(
                .cell(
                    xs, center - 0.5...center + 0.5, color: .ordered(place),
                    name: "layer \(layer), \(shortCount(xs.upperBound)) tokens: \(significant(value, 3))"))
        }
        chart.legend = [0, 0.5, 1].map { (.ordered($0), significant(least + $0 * (most - least), 3)) }
        return Figure(chart: chart, table: table)
    }

    /// The last column: what the layers have come to.
    private var table: PageTable {
        let layers = values.last ?? []
        return PageTable(
            header: ["layer", "at the end"],
            rows: layers.enumerated().map { ["\($0.offset)", $0.element.map { significant($0, 4) } ?? ""] })
    }
}
