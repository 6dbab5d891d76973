/// Where a chart is shown.
package enum ChartStyle: Sendable {
    /// In a file of its own: with title, subtitle and legend, on white.
    case document
    /// Within a page, which shows title and legend itself and whose style sheet defines the colors
    /// (`ChartColor.customProperties`). The number is the chart's own on the page.
    case page(Int)

    var isDocument: Bool {
        if case .document = self { true } else { false }
    }

    /// The name of the area of the marks: names are one set for a whole page.
    var clipName: String {
        switch self {
        case .document: "inside"
        case .page(let number): "inside-\(number)"
        }
    }

    /// The color as CSS.
    package func text(of color: ChartColor) -> String { isDocument ? color.onLight : "var(\(color.customProperty))" }
}

/// The sizes of a drawing, in its own pixels.
package struct ChartFrame: Sendable {
    package let width, height: Double
    /// The edges of the area of the marks.
    package let left, right, top, floor: Double
}

extension Chart {
    package func frame(in style: ChartStyle) -> ChartFrame {
        style.isDocument
            ? ChartFrame(width: 820, height: 520, left: 74, right: 820 - rightMargin, top: 72, floor: 462)
            : ChartFrame(width: 640, height: 340, left: 70, right: 626, top: 14, floor: 286)
    }
}
