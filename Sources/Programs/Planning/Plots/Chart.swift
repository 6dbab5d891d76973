/// A drawing with its name, as an SVG document.
package struct Plot: Sendable {
    package let name: String
    package let svg: String
}

/// Marks on two axes.
struct Chart: Sendable {
    enum Mark: Sendable {
        /// A curve, with a label at its right end.
        case line([(Double, Double)], color: String, label: String = "", width: Double = 2, dashes: String = "")
        /// Discs; rings if hollow.
        case dots([(Double, Double)], color: String, radius: Double = 4, hollow: Bool = false)
        /// A horizontal stripe over the full width.
        case stripe(ClosedRange<Double>, color: String)
        /// A filled rectangle.
        case cell(ClosedRange<Double>, ClosedRange<Double>, color: String)
        /// A disc with words above it.
        case named(Double, Double, String, color: String)
    }

    let title: String
    let subtitle: String
    let x, y: Axis
    var marks: [Mark] = []
    /// Colors with their meaning, for charts whose marks carry no labels.
    var legend: [(color: String, text: String)] = []
    /// Room for labels at the right, in pixels.
    var rightMargin = 96.0
}

/// Colors that differ in lightness as well as in hue, so that they survive gray printing and color blindness; an
/// ordered scale from few experts to many.
enum Palette {
    static let ink = "#222831", faint = "#e3e6ea", axis = "#8a929c"
    private static let scale: [SIMD3<Double>] = [
        [0x2d, 0x1e, 0x52], [0x5b, 0x2a, 0x7a], [0x9b, 0x2e, 0x7f], [0xd3, 0x43, 0x6e], [0xf0, 0x70, 0x50],
        [0xe8, 0xa3, 0x3d],
    ]

    /// The color of place `index` among `count`.
    static func ordered(_ index: Int, of count: Int) -> String {
        let place = Double(scale.count - 1) * (count > 1 ? Double(index) / Double(count - 1) : 0.4)
        let below = min(Int(place), scale.count - 2)
        let mixed = scale[below] + (place - Double(below)) * (scale[below + 1] - scale[below])
        let digits = (0..<3).map { channel in
            let text = String(Int(mixed[channel].rounded()), radix: 16)
            return text.count < 2 ? "0" + text : text
        }
        return "#" + digits.joined()
    }
}
