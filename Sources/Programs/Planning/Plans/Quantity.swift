import Platform

/// Numbers as people read them.
package enum Quantity {
    /// `1.7B`, `321M`, `64K`: three significant digits.
    package static func count(_ value: Double) -> String {
        scaled(value, [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")])
    }

    /// `24 GB`, decimal units.
    package static func bytes(_ value: Double) -> String {
        scaled(value, [(1e12, " TB"), (1e9, " GB"), (1e6, " MB"), (1e3, " kB"), (1, " B")])
    }

    private static func scaled(_ value: Double, _ units: [(Double, String)]) -> String {
        // 999.7 of a unit would print as 1000 of it: take the next one.
        for (size, unit) in units where abs(value) >= size * 0.9995 { return digits(value / size, 3) + unit }
        return digits(value, 3)
    }

    /// `1.23e20`; whole mantissas without a point.
    package static func scientific(_ value: Double) -> String {
        guard value != 0, value.isFinite else { return "\(value)" }
        var power = floor(log10(abs(value)))
        if abs(value) / pow(10, power) >= 9.995 { power += 1 }
        return digits(value / pow(10, power), 3) + "e\(Int(power))"
    }

    /// So many significant digits, without trailing zeros after the point.
    package static func digits(_ value: Double, _ significant: Int) -> String {
        guard value != 0, value.isFinite else { return value == 0 ? "0" : "\(value)" }
        let places = max(0, significant - 1 - Int(floor(log10(abs(value) * (1 + 0.5 * pow(10, -Double(significant)))))))
        var text = decimals(value, places)
        if text.contains(".") {
            while text.hasSuffix("0") { text.removeLast() }
            if text.hasSuffix(".") { text.removeLast() }
        }
        return text
    }

    /// So many places after the point.
    package static func decimals(_ value: Double, _ places: Int) -> String {
        let scale = pow(10, Double(places)), scaled = (abs(value) * scale).rounded()
        guard value.isFinite, scale <= 1e18, scaled < 1e18 else { return "\(value)" }
        let whole = UInt64(scaled), unit = UInt64(scale)
        let fraction = String(whole % unit)
        let sign = value < 0 && whole > 0 ? "-" : ""
        let tail = places == 0 ? "" : "." + String(repeating: "0", count: places - fraction.count) + fraction
        return sign + "\(whole / unit)" + tail
    }
}

extension Int {
    /// The whole number towards zero; beyond what 64 bits count, the nearest that they do, and 0 for what is no number.
    init(saturating value: Double) {
        self = Int(exactly: value.rounded(.towardZero)) ?? (value > 0 ? .max : value < 0 ? .min : 0)
    }
}
