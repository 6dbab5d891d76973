import Diagnostics
import Platform

extension Double {
    /// Whether an axis can show it: ranges and ticks of greater numbers would overflow.
    package var isDrawable: Bool { magnitude <= 1e100 }
}

/// One axis of a chart: its range, where it has ticks, how it writes them.
package struct Axis: Sendable {
    package enum Scale: Sendable { case linear, logarithmic }

    package let title: String
    package let scale: Scale
    package let range: ClosedRange<Double>
    private let write: @Sendable (Double) -> String

    /// - Parameters:
    ///   - title: what the axis measures, with its unit
    ///   - scale: how values lie on it
    ///   - values: what must be visible; those that are not drawable are left out
    ///   - room: left free on either side, as a share of the range
    ///   - write: the text of a value at a tick
    package init(
        _ title: String, _ scale: Scale, covering values: [Double], room: Double = 0.04,
        write: @escaping @Sendable (Double) -> String = { significant($0, 3) }
    ) {
        self.title = title
        self.scale = scale
        self.write = write
        // The least positive numbers are as far from 1 as those that are too great.
        let drawable = values.filter { $0.isDrawable && (scale == .linear || $0 >= 1e-100) }
        var low = drawable.min() ?? 1, high = drawable.max() ?? 2
        // Numbers that differ in their last digits only have no round ones between them.
        if high - low <= 1e-12 * max(abs(low), abs(high)) {
            let apart = max(1, 0.01 * abs(low))
            (low, high) = scale == .linear ? (low - apart, high + apart) : (low / 2, high * 2)
        }
        switch scale {
        // What begins at zero, such as a stack of areas, stands on the axis.
        case .linear: range = (low == 0 ? 0 : low - room * (high - low))...high + room * (high - low)
        case .logarithmic: range = low / pow(high / low, room)...high * pow(high / low, room)
        }
    }

    /// 0 at the range's lower end, 1 at its upper.
    package func position(_ value: Double) -> Double {
        switch scale {
        case .linear: (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        case .logarithmic: log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
        }
    }

    /// `value` as the axis writes it.
    package func text(_ value: Double) -> String { write(value) }

    /// Round values inside the range, five or so, as written.
    package var ticks: [(value: Double, text: String)] {
        let values = scale == .linear ? linearTicks : logarithmicTicks
        return values.filter(range.contains).map { ($0, write($0)) }
    }

    private var linearTicks: [Double] {
        let rough = (range.upperBound - range.lowerBound) / 7
        let power = pow(10, floor(log10(rough)))
        let step = ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10) * power
        let first = (range.lowerBound / step).rounded(.up), last = (range.upperBound / step).rounded(.down)
        guard last >= first else { return [] }
        return (0...Int(last - first)).map { (first + Double($0)) * step }
    }

    private var logarithmicTicks: [Double] {
        let decades = log10(range.upperBound / range.lowerBound)
        let mantissas: [Double] =
            decades > 3.5 ? [1] : decades > 1.2 ? [1, 3] : decades > 0.7 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 6, 8]
        let stride = max(1, Int(decades / 5))
        let first = Int(floor(log10(range.lowerBound))), last = Int(floor(log10(range.upperBound)))
        return (first...last).filter { ($0 - first).isMultiple(of: stride) }.flatMap { power in
            mantissas.map { $0 * pow(10, Double(power)) }
        }
    }
}
