import Diagnostics

/// Writes SVG elements.
struct SVGPen {
    let style: ChartStyle

    func css(_ color: ChartColor) -> String { style.text(of: color) }

    func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: ChartColor) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" "
            + "stroke=\"\(css(color))\"/>"
    }

    /// - Parameter name: shown where the pointer rests on it; empty: nothing
    func rectangle(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: ChartColor, name: String = ""
    ) -> String {
        let element =
            "<rect x=\"\(number(x1))\" y=\"\(number(y1))\" width=\"\(number(max(0, x2 - x1)))\" "
            + "height=\"\(number(max(0, y2 - y1)))\" fill=\"\(css(color))\" shape-rendering=\"crispEdges\""
        return name.isEmpty ? element + "/>" : "\(element)><title>\(escaped(name))</title></rect>"
    }

    func text(
        _ x: Double, _ y: Double, _ words: String, size: Double = 12, color: ChartColor = .ink,
        anchor: String = "start", weight: String = "normal"
    ) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(number(size))\" fill=\"\(css(color))\" "
            + "text-anchor=\"\(anchor)\" font-weight=\"\(weight)\">\(escaped(words))</text>"
    }

    /// Places far outside of the frame are moved to where no program overflows.
    func number(_ value: Double, _ places: Int = 1) -> String { decimals(min(max(value, -1e5), 1e5), places) }

    func escaped(_ words: String) -> String { escapedMarkup(words) }
}

/// `words` as text of HTML and XML, in elements and in quoted attributes.
package func escapedMarkup(_ words: String) -> String {
    words.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        .replacing("\"", with: "&quot;")
}
