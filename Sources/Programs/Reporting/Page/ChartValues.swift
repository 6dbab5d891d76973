import Charts
import Diagnostics

/// The numbers of a chart's curves, for the script of the page, which shows those under the pointer.
struct ChartValues {
    private let chart: Chart
    private let style: ChartStyle

    init(_ chart: Chart, _ style: ChartStyle) {
        self.chart = chart
        self.style = style
    }

    /// One JSON object, which can stand in a `script` element.
    var json: String {
        let frame = chart.frame(in: style)
        let lines = chart.marks.compactMap { mark -> String? in
            guard case .line(let points, let color, let label, _, _) = mark, !label.isEmpty else { return nil }
            let finite = points.filter { $0.0.isFinite && $0.1.isFinite }
            return """
                {"name":\(text(label)),"color":\(text(style.text(of: color))),\
                "x":\(numbers(finite.map(\.0))),"y":\(numbers(finite.map(\.1)))}
                """
        }
        return """
            {"frame":\(numbers([frame.left, frame.right, frame.top, frame.floor])),\
            "x":\(axis(chart.x)),"y":\(axis(chart.y)),"lines":[\(lines.joined(separator: ","))]}
            """
    }

    private func axis(_ axis: Axis) -> String {
        """
        {"title":\(text(axis.title)),"log":\(axis.scale == .logarithmic),\
        "range":\(numbers([axis.range.lowerBound, axis.range.upperBound]))}
        """
    }

    private func numbers(_ values: [Double]) -> String {
        "[" + values.map { significant($0, 6) }.joined(separator: ",") + "]"
    }

    /// A string of JSON that ends no `script` element.
    private func text(_ words: String) -> String {
        var result = "\""
        for scalar in words.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "<", ">", "&", "\u{2028}", "\u{2029}": result += escape(scalar)
            default: if scalar.value < 0x20 { result += escape(scalar) } else { result.unicodeScalars.append(scalar) }
            }
        }
        return result + "\""
    }

    private func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}

extension Chart {
    /// What the legend of a page says: the chart's own, and its curves where there are several.
    var keys: [(color: ChartColor, text: String)] {
        let curves = marks.compactMap { mark -> (color: ChartColor, text: String)? in
            guard case .line(_, let color, let label, _, _) = mark, !label.isEmpty else { return nil }
            return (color, label)
        }
        return legend + (curves.count > 1 ? curves : [])
    }
}
