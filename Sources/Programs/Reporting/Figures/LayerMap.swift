import Diagnostics

/// A map of a number of every layer over the tokens of a run.
struct LayerMap {
    /// Upper ends of the columns.
    private let tokens: [Double]
    /// By column and layer.
    private let values: [[Double?]]

    init(_ points: [RecordPoint], _ quantity: KeyPath<RecordPoint, [ValueRange]>) {
        let stride = max(1, (points.count + CellMap.mostColumns - 1) / CellMap.mostColumns)
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
        return CellMap(overTokens: tokens, title, unit, row: "layer", values: values, scale: least...most).figure()
    }
}
