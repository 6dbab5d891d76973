import Diagnostics

extension Chart {
    private var width: Double { 820 }
    private var height: Double { 520 }
    private var left: Double { 74 }
    private var top: Double { 72 }
    private var bottom: Double { 58 }
    private var right: Double { width - rightMargin }
    private var floor: Double { height - bottom }

    /// The chart as an SVG document.
    var svg: String {
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\" "
                + "width=\"\(number(width))\" height=\"\(number(height))\" font-family=\"Helvetica, Arial, sans-serif\" "
                + "fill=\"\(Palette.ink)\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
            text(left, 30, title, size: 18, weight: "bold"), text(left, 51, subtitle, size: 13, color: "#5b6470"),
            "<clipPath id=\"inside\"><rect x=\"\(number(left))\" y=\"\(number(top))\" width=\"\(number(right - left))\" "
                + "height=\"\(number(floor - top))\"/></clipPath>",
        ]
        let (areas, others) = (marks.filter(\.isArea), marks.filter { !$0.isArea })
        parts.append("<g clip-path=\"url(#inside)\">" + areas.map(draw).joined(separator: "\n") + "</g>")
        parts += axes
        parts.append("<g clip-path=\"url(#inside)\">" + others.map(draw).joined(separator: "\n") + "</g>")
        parts += lineLabels + legendEntries + ["</svg>", ""]
        return parts.joined(separator: "\n")
    }

    private func px(_ value: Double) -> Double { left + x.position(value) * (right - left) }
    private func py(_ value: Double) -> Double { floor - y.position(value) * (floor - top) }

    private var axes: [String] {
        let columns = x.ticks.map { tick in
            let at = px(tick.value)
            return rule(at, top, at, floor, color: Palette.faint) + text(at, floor + 19, tick.text, anchor: "middle")
        }
        let rows = y.ticks.map { tick in
            let at = py(tick.value)
            return rule(left, at, right, at, color: Palette.faint) + text(left - 8, at + 4, tick.text, anchor: "end")
        }
        let titles = [
            rule(left, floor, right, floor, color: Palette.axis),
            text((left + right) / 2, height - 14, x.title, size: 13, anchor: "middle"),
            "<text transform=\"translate(18 \(number((top + floor) / 2))) rotate(-90)\" font-size=\"13\" "
                + "text-anchor=\"middle\">\(escaped(y.title))</text>",
        ]
        return columns + rows + titles
    }

    private func draw(_ mark: Mark) -> String {
        switch mark {
        case .line(let points, let color, _, let width, let dashes):
            let path = points.map { "\(number(px($0.0))),\(number(py($0.1)))" }.joined(separator: " ")
            return "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"\(number(width))\" "
                + "stroke-linejoin=\"round\"" + (dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\"") + "/>"
        case .dots(let points, let color, let radius, let hollow):
            let style =
                hollow
                ? "fill=\"white\" stroke=\"\(color)\" stroke-width=\"1.6\"" : "fill=\"\(color)\" stroke=\"white\""
            return points.map {
                "<circle cx=\"\(number(px($0.0)))\" cy=\"\(number(py($0.1)))\" r=\"\(number(radius))\" \(style)/>"
            }.joined()
        case .stripe(let range, let color):
            return rectangle(left, py(range.upperBound), right, py(range.lowerBound), color: color)
        case .cell(let xs, let ys, let color):
            return rectangle(
                px(xs.lowerBound), py(ys.upperBound), px(xs.upperBound) + 0.4, py(ys.lowerBound) + 0.4, color: color)
        case .named(let a, let b, let words, let color):
            let disc = draw(.dots([(a, b)], color: color, radius: 5))
            let name = text(px(a), py(b) - 10, words, color: color, anchor: "middle", weight: "bold")
            // A white edge keeps the words readable where they lie on a curve.
            return disc + "<g paint-order=\"stroke\" stroke=\"white\" stroke-width=\"4\">" + name + "</g>"
        }
    }

    /// Labels beside the right ends of the curves, moved apart where they would touch.
    private var lineLabels: [String] {
        var labels: [(y: Double, x: Double, text: String, color: String)] = marks.compactMap { mark in
            guard case .line(let points, let color, let label, _, _) = mark, !label.isEmpty, let end = points.last
            else {
                return nil
            }
            return (min(max(py(end.1), top), floor), min(px(end.0), right), label, color)
        }.sorted { $0.y < $1.y }
        for i in labels.indices.dropFirst() { labels[i].y = max(labels[i].y, labels[i - 1].y + 15) }
        if let last = labels.indices.last, labels[last].y > floor {
            labels[last].y = floor
            for i in labels.indices.dropLast().reversed() { labels[i].y = min(labels[i].y, labels[i + 1].y - 15) }
        }
        return labels.map { text($0.x + 8, $0.y + 4, $0.text, size: 12, color: $0.color, weight: "bold") }
    }

    private var legendEntries: [String] {
        legend.enumerated().flatMap { index, entry -> [String] in
            let at = top + 8 + 20 * Double(index)
            return [
                rectangle(right + 14, at, right + 26, at + 12, color: entry.color),
                text(right + 32, at + 10.5, entry.text, size: 12),
            ]
        }
    }

    private func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: String) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(color)\"/>"
    }

    private func rectangle(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: String) -> String {
        "<rect x=\"\(number(x1))\" y=\"\(number(y1))\" width=\"\(number(max(0, x2 - x1)))\" "
            + "height=\"\(number(max(0, y2 - y1)))\" fill=\"\(color)\" shape-rendering=\"crispEdges\"/>"
    }

    private func text(
        _ x: Double, _ y: Double, _ words: String, size: Double = 12, color: String = Palette.ink,
        anchor: String = "start", weight: String = "normal"
    ) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(number(size))\" fill=\"\(color)\" "
            + "text-anchor=\"\(anchor)\" font-weight=\"\(weight)\">\(escaped(words))</text>"
    }

    private func number(_ value: Double) -> String { decimals(min(max(value, -1e5), 1e5), 1) }

    private func escaped(_ words: String) -> String {
        words.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}

extension Chart.Mark {
    /// Drawn beneath the grid.
    var isArea: Bool {
        switch self {
        case .stripe, .cell: true
        default: false
        }
    }
}
