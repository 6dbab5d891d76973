import Diagnostics

/// A color by what it means. Which color that is depends on where the chart is shown (`ChartStyle`).
package enum ChartColor: Sendable, Equatable {
    /// Text.
    case ink
    /// Text of less weight.
    case mutedInk
    /// Lines of the grid.
    case grid
    /// Axes and reference lines.
    case axis
    /// What lies behind the marks.
    case surface
    /// A band behind the marks.
    case band
    /// Something that stands for no value.
    case empty
    /// One mark that must be seen among ordered ones.
    case accent
    /// A place on an ordered scale, 0 to 1: from few experts to many, from a low value to a high one.
    case ordered(Double)
}

extension ChartColor {
    /// The color of place `index` among `count` on the ordered scale.
    package static func ordered(_ index: Int, of count: Int) -> ChartColor {
        .ordered(count > 1 ? Double(index) / Double(count - 1) : 0.4)
    }

    /// The names of the colors that a style sheet defines as custom properties, with their values on a light and on a dark
    /// background.
    package static var customProperties: [(name: String, light: String, dark: String)] {
        let fixed: [ChartColor] = [.ink, .mutedInk, .grid, .axis, .surface, .band, .empty, .accent]
        let ordered = (0...orderedSteps).map { ChartColor.ordered(Double($0) / Double(orderedSteps)) }
        return (fixed + ordered).map { ($0.customProperty, $0.onLight, $0.onDark) }
    }

    /// Differences of the ordered scale that a page keeps apart.
    private static let orderedSteps = 20

    var customProperty: String {
        switch self {
        case .ordered(let place): "--ordered-\(Int((place * Double(Self.orderedSteps)).rounded()))"
        case .mutedInk: "--muted-ink"
        default: "--\(self)"
        }
    }

    var onLight: String {
        switch self {
        case .ink: "#222831"
        case .mutedInk: "#5b6470"
        case .grid: "#e3e6ea"
        case .axis: "#8a929c"
        case .surface: "#ffffff"
        case .band: "#eef1f5"
        case .empty: "#f4f4f4"
        case .accent: "#2b8cbe"
        case .ordered(let place): orderedOnLight.color(at: place)
        }
    }

    private var onDark: String {
        switch self {
        case .ink: "#e6e9ee"
        case .mutedInk: "#a2abb8"
        case .grid: "#313842"
        case .axis: "#78828f"
        case .surface: "#181c22"
        case .band: "#242a33"
        case .empty: "#242830"
        case .accent: "#6cc4f0"
        case .ordered(let place): orderedOnDark.color(at: place)
        }
    }
}

/// Colors between given ones. The scales differ in lightness as well as in hue, so that they survive gray printing and color
/// blindness.
private struct ColorScale: Sendable {
    let stops: [SIMD3<Double>]

    func color(at place: Double) -> String {
        let scaled = Double(stops.count - 1) * min(max(place, 0), 1), below = min(Int(scaled), stops.count - 2)
        let mixed = stops[below] + (scaled - Double(below)) * (stops[below + 1] - stops[below])
        return "#"
            + (0..<3).map { channel in
                let text = String(Int(mixed[channel].rounded()), radix: 16)
                return text.count < 2 ? "0" + text : text
            }.joined()
    }
}

private let orderedOnLight = ColorScale(stops: [
    [0x2d, 0x1e, 0x52], [0x5b, 0x2a, 0x7a], [0x9b, 0x2e, 0x7f], [0xd3, 0x43, 0x6e], [0xf0, 0x70, 0x50],
    [0xe8, 0xa3, 0x3d],
])
private let orderedOnDark = ColorScale(stops: [
    [0x7d, 0x6f, 0xd0], [0xa9, 0x6d, 0xd2], [0xd4, 0x62, 0xb4], [0xf0, 0x70, 0x8c], [0xf8, 0x95, 0x70],
    [0xf6, 0xd0, 0x7a],
])
