import Charts
import Diagnostics

/// How evenly the experts of every layer are used: over the mean of the layer, so that 1 is even.
struct ExpertLoadMaps {
    /// Layers of which the course is drawn: those where one expert has most in the end.
    private static let mostLayers = 4
    /// Cells of a map that a page can hold.
    private static let mostCells = 8192
    /// The load of the scale's last color; an expert may have more.
    private static let greatestLoad = 2.0

    private let points: [ExpertLoadPoint]

    init(_ points: [ExpertLoadPoint]) { self.points = points }

    /// Empty of a run whose records do not have the loads.
    var figures: [Figure] {
        guard let end = lastTenth else { return [] }
        let order = end.indices.sorted { (end[$0].max() ?? 0) > (end[$1].max() ?? 0) }
        let layers = order.prefix(Self.mostLayers).filter { end[$0].count > 1 }.sorted()
        return [overview(end)] + (points.count > 1 ? layers.compactMap(course) : [])
    }

    /// By layer, in the last tenth of the records.
    private var lastTenth: [[Double]]? {
        guard var sum = points.last else { return nil }
        for point in points.suffix((points.count + 9) / 10).dropLast() { sum.add(point) }
        return sum.relativeLoads
    }

    private func overview(_ loads: [[Double]]) -> Figure {
        let experts = loads.map(\.count).max() ?? 0
        let columns = (0..<experts).map { expert in loads.map { expert < $0.count ? $0[expert] : nil } }
        let axis = Axis("expert", .linear, covering: [-0.5, Double(experts) - 0.5], room: 0) { place in
            place == place.rounded() ? decimals(place, 0) : ""
        }
        let extremes = loads.enumerated().map { layer, loads in
            ["\(layer)", significant(loads.min() ?? 0, 3), significant(loads.max() ?? 0, 3)]
        }
        return CellMap(
            title: "Load of every expert",
            unit: "over the mean of its layer, in the last tenth of the records: 1 is even",
            x: axis, row: "layer", edges: (0...experts).map { Double($0) - 0.5 }, values: columns,
            scale: 0...Self.greatestLoad, column: { "expert \($0)" }
        ).figure(table: PageTable(header: ["layer", "least loaded expert", "most loaded expert"], rows: extremes))
    }

    /// The loads of a layer's experts over the run.
    private func course(ofLayer layer: Int) -> Figure? {
        let experts = points.last?.counts[layer].count ?? 0
        let columns = max(1, min(CellMap.mostColumns, Self.mostCells / max(experts, 1)))
        let stride = max(1, (points.count + columns - 1) / columns)
        let merged = Swift.stride(from: 0, to: points.count, by: stride).map { start in
            points[start..<min(start + stride, points.count)].dropFirst().reduce(into: points[start]) { $0.add($1) }
        }
        return CellMap(
            overTokens: merged.map { Double($0.tokens) }, "Load of every expert of layer \(layer)",
            "over the mean of the layer: 1 is even", row: "expert",
            values: merged.map { $0.relativeLoads(ofLayer: layer) }, scale: 0...Self.greatestLoad
        ).figure()
    }
}
