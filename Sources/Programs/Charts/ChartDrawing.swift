extension Chart {
    /// The chart as an `svg` element: a document, or a part of a page.
    package func svg(in style: ChartStyle) -> String {
        let drawing = ChartDrawing(chart: self, style: style)
        return drawing.elements.joined(separator: "\n")
    }
}

/// Draws one chart.
struct ChartDrawing {
    let chart: Chart
    let style: ChartStyle
    let frame: ChartFrame
    let pen: SVGPen

    init(chart: Chart, style: ChartStyle) {
        self.chart = chart
        self.style = style
        frame = chart.frame(in: style)
        pen = SVGPen(style: style)
    }

    var elements: [String] {
        let (areas, others) = (chart.marks.filter(\.isArea), chart.marks.filter { !$0.isArea })
        return opening + [clipped(areas)] + axes + [clipped(others)]
            + (style.isDocument ? lineLabels + legendEntries : []) + ["</svg>", ""]
    }

    private func clipped(_ marks: [Chart.Mark]) -> String {
        "<g clip-path=\"url(#\(style.clipName))\">" + marks.map(draw).joined(separator: "\n") + "</g>"
    }

    private var opening: [String] {
        let box = "viewBox=\"0 0 \(pen.number(frame.width)) \(pen.number(frame.height))\""
        let clip =
            "<clipPath id=\"\(style.clipName)\">"
            + pen.rectangle(frame.left, frame.top, frame.right, frame.floor, color: .surface) + "</clipPath>"
        guard style.isDocument else {
            return [
                "<svg \(box) role=\"img\" aria-label=\"\(pen.escaped(chart.title))\" fill=\"\(pen.css(.ink))\">", clip,
            ]
        }
        return [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" \(box) width=\"\(pen.number(frame.width))\" "
                + "height=\"\(pen.number(frame.height))\" font-family=\"Helvetica, Arial, sans-serif\" "
                + "fill=\"\(pen.css(.ink))\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"\(pen.css(.surface))\"/>",
            pen.text(frame.left, 30, chart.title, size: 18, weight: "bold"),
            pen.text(frame.left, 51, chart.subtitle, size: 13, color: .mutedInk), clip,
        ]
    }

    func px(_ value: Double) -> Double { frame.left + chart.x.position(value) * (frame.right - frame.left) }
    func py(_ value: Double) -> Double { frame.floor - chart.y.position(value) * (frame.floor - frame.top) }

    private var axes: [String] {
        let (left, right, top, floor) = (frame.left, frame.right, frame.top, frame.floor)
        let columns = chart.x.ticks.map { tick in
            let at = px(tick.value)
            return grid(at, top, at, floor) + pen.text(at, floor + 19, tick.text, anchor: "middle")
        }
        let rows = chart.y.ticks.map { tick in
            let at = py(tick.value)
            return grid(left, at, right, at) + pen.text(left - 8, at + 4, tick.text, anchor: "end")
        }
        var titles = [
            pen.rule(left, floor, right, floor, color: .axis),
            pen.text((left + right) / 2, frame.height - 14, chart.x.title, size: 13, anchor: "middle"),
        ]
        // A page says it above the chart, where it has space on every screen.
        guard style.isDocument else { return columns + rows + titles }
        titles.append(
            "<text transform=\"translate(18 \(pen.number((top + floor) / 2))) rotate(-90)\" font-size=\"13\" "
                + "text-anchor=\"middle\">\(pen.escaped(chart.y.title))</text>")
        return columns + rows + titles
    }

    private func grid(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        chart.showsGrid ? pen.rule(x1, y1, x2, y2, color: .grid) : ""
    }

    /// Labels beside the right ends of the curves, moved apart where they would touch.
    private var lineLabels: [String] {
        let (top, floor) = (frame.top, frame.floor)
        var labels: [(y: Double, x: Double, text: String, color: ChartColor)] = chart.marks.compactMap { mark in
            guard case .line(let points, let color, let label, _, _) = mark, !label.isEmpty, let end = points.last
            else {
                return nil
            }
            return (min(max(py(end.1), top), floor), min(px(end.0), frame.right), label, color)
        }.sorted { $0.y < $1.y }
        for i in labels.indices.dropFirst() { labels[i].y = max(labels[i].y, labels[i - 1].y + 15) }
        if let last = labels.indices.last, labels[last].y > floor {
            labels[last].y = floor
            for i in labels.indices.dropLast().reversed() { labels[i].y = min(labels[i].y, labels[i + 1].y - 15) }
        }
        return labels.map { pen.text($0.x + 8, $0.y + 4, $0.text, size: 12, color: $0.color, weight: "bold") }
    }

    private var legendEntries: [String] {
        let right = frame.right
        return chart.legend.enumerated().flatMap { index, entry -> [String] in
            let at = frame.top + 8 + 20 * Double(index)
            return [
                pen.rectangle(right + 14, at, right + 26, at + 12, color: entry.color),
                pen.text(right + 32, at + 10.5, entry.text, size: 12),
            ]
        }
    }
}
