/// A drawing with its name.
package struct Plot: Sendable {
    package let name: String
    package let chart: Chart

    package init(name: String, _ chart: Chart) {
        self.name = name
        self.chart = chart
    }

    /// The drawing as an SVG document.
    package var svg: String { chart.svg(in: .document) }
}

/// Marks on two axes.
package struct Chart: Sendable {
    package enum Mark: Sendable {
        /// A curve, with a label at its right end, or in the legend of a page.
        case line([(Double, Double)], color: ChartColor, label: String = "", width: Double = 2, dashes: String = "")
        /// Discs, or rings if hollow, and the name of each, if they have names.
        case dots(
            [(Double, Double)], color: ChartColor, radius: Double = 4, hollow: Bool = false, names: [String] = [])
        /// A horizontal stripe over the full width.
        case stripe(ClosedRange<Double>, color: ChartColor)
        /// What lies between two curves, as x, lower and upper end.
        case area([(x: Double, low: Double, high: Double)], color: ChartColor, opacity: Double = 1)
        /// A filled rectangle.
        case cell(ClosedRange<Double>, ClosedRange<Double>, color: ChartColor, name: String = "")
        /// A disc with words above it.
        case named(Double, Double, String, color: ChartColor)
    }

    package let title: String
    package let subtitle: String
    package let x, y: Axis
    package var marks: [Mark] = []
    /// Colors with their meaning, for charts whose marks carry no labels.
    package var legend: [(color: ChartColor, text: String)] = []
    /// False for a map, whose cells the grid would cover.
    package var showsGrid = true
    /// Space for labels at the right of a document, in pixels.
    package var rightMargin = 96.0

    package init(title: String, subtitle: String, x: Axis, y: Axis) {
        self.title = title
        self.subtitle = subtitle
        self.x = x
        self.y = y
    }
}
