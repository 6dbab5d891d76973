extension ChartDrawing {
    /// Points that have a place on both axes: zero has none on a logarithmic one.
    private func placed(_ points: [(Double, Double)]) -> [(Double, Double)] {
        points.map { (px($0.0), py($0.1)) }.filter { $0.0.isFinite && $0.1.isFinite }
    }

    private func path(_ points: [(Double, Double)]) -> String {
        points.map { "\(pen.number($0.0)),\(pen.number($0.1))" }.joined(separator: " ")
    }

    func draw(_ mark: Chart.Mark) -> String {
        switch mark {
        case .line(let points, let color, _, let width, let dashes):
            return "<polyline points=\"\(path(placed(points)))\" fill=\"none\" stroke=\"\(pen.css(color))\" "
                + "stroke-width=\"\(pen.number(width))\" stroke-linejoin=\"round\""
                + (dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\"") + "/>"
        case .dots(let points, let color, let radius, let hollow, let names):
            return draw(dots: points, color, radius, hollow, names)
        case .stripe(let range, let color):
            return pen.rectangle(
                frame.left, py(range.upperBound), frame.right, py(range.lowerBound), color: color)
        case .area(let points, let color, let opacity):
            let upper = placed(points.map { ($0.x, $0.high) }), lower = placed(points.map { ($0.x, $0.low) })
            return "<polygon points=\"\(path(upper + lower.reversed()))\" fill=\"\(pen.css(color))\" "
                + "fill-opacity=\"\(pen.number(opacity, 2))\"/>"
        case .cell(let xs, let ys, let color, let name):
            return pen.rectangle(
                px(xs.lowerBound), py(ys.upperBound), px(xs.upperBound) + 0.4, py(ys.lowerBound) + 0.4, color: color,
                name: name)
        case .named(let a, let b, let words, let color):
            let name = pen.text(px(a), py(b) - 10, words, color: color, anchor: "middle", weight: "bold")
            // An edge keeps the words readable where they lie on a curve.
            return draw(dots: [(a, b)], color, 5, false, [])
                + "<g paint-order=\"stroke\" stroke=\"\(pen.css(.surface))\" stroke-width=\"4\">" + name + "</g>"
        }
    }

    private func draw(
        dots points: [(Double, Double)], _ color: ChartColor, _ radius: Double, _ hollow: Bool, _ names: [String]
    ) -> String {
        let (paint, surface) = (pen.css(color), pen.css(.surface))
        let style =
            hollow
            ? "fill=\"\(surface)\" stroke=\"\(paint)\" stroke-width=\"1.6\""
            : "fill=\"\(paint)\" stroke=\"\(surface)\""
        return points.enumerated().compactMap { index, point in
            guard let place = placed([point]).first else { return nil }
            let circle =
                "<circle cx=\"\(pen.number(place.0))\" cy=\"\(pen.number(place.1))\" r=\"\(pen.number(radius))\" \(style)"
            return index < names.count
                ? "\(circle)><title>\(pen.escaped(names[index]))</title></circle>" : circle + "/>"
        }.joined()
    }
}

extension Chart.Mark {
    /// Whether the mark is drawn beneath the grid.
    var isArea: Bool {
        switch self {
        case .stripe, .cell, .area: true
        default: false
        }
    }
}
