/// A drawing with its name, as an SVG document.
package struct Plot: Sendable {
    package let name: String
    package let svg: String
}

/// Marks on two axes.
struct Chart: Sendable {
    enum Mark: Sendable {
        /// A curve, with a label at its right end.
        case line([(Double, Double)], colour: String, label: String = "", width: Double = 2, dashes: String = "")
        /// Discs; rings if hollow.
        case dots([(Double, Double)], colour: String, radius: Double = 4, hollow: Bool = false)
        /// A horizontal stripe over the full width.
        case stripe(ClosedRange<Double>, colour: String)
        /// A filled rectangle.
        case cell(ClosedRange<Double>, ClosedRange<Double>, colour: String)
        /// Words at a place.
        case note(Double, Double, String)
    }

    let title: String
    let subtitle: String
    let x, y: Axis
    var marks: [Mark] = []
    /// Colours with their meaning, for charts whose marks carry no labels.
    var legend: [(colour: String, text: String)] = []
    /// Room for labels at the right, in pixels.
    var rightMargin = 96.0
}

/// Colours that differ in lightness as well as in hue, so that they survive grey printing and colour blindness; an
/// ordered scale from few experts to many.
enum Palette {
    static let ink = "#222831", faint = "#e3e6ea", axis = "#8a929c"
    private static let scale = ["#35193e", "#701f57", "#ad1759", "#e13342", "#f37651", "#f6b48f"]

    /// The colour of place `index` among `count`.
    static func ordered(_ index: Int, of count: Int) -> String {
        guard count > 1 else { return scale[1] }
        return scale[min(scale.count - 1, (index * (scale.count - 1) + (count - 1) / 2) / (count - 1))]
    }
}
