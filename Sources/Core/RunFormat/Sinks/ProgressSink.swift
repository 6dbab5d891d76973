import Diagnostics
import Platform
import Synchronization

/// Progress of long work on standard error: one line rewritten in place on a terminal, plain lines now and then elsewhere.
/// Any thread may show.
package final class ProgressSink: Sendable {
    private let isTerminal: Bool
    private let interval: Double
    private let shown = Mutex(Shown())

    private struct Shown {
        var last: ContinuousClock.Instant?
        var width = 0
    }

    package init() {
        isTerminal = isatty(2) == 1
        interval = isTerminal ? 0.2 : 10
    }

    /// Shows `text` if the last one is old enough, or always if `important`.
    package func show(_ text: @autoclosure () -> String, important: Bool = false) {
        shown.withLock { shown in
            let now = ContinuousClock.now
            if !important, let last = shown.last, (now - last) / .seconds(1) < interval { return }
            shown.last = now
            let line = visible(text(), keepingLines: true)
            guard isTerminal else { return put(line + "\n") }
            let rest = String(repeating: " ", count: max(0, shown.width - line.count))
            put("\r" + line + rest + (important ? "\n" : ""))
            shown.width = important ? 0 : line.count
        }
    }

    /// A line of its own, which stays.
    package func log(_ text: String) { show(text, important: true) }

    private func put(_ text: String) {
        var text = text
        text.withUTF8 { bytes in _ = unsafe write(2, bytes.baseAddress, bytes.count) }
    }
}

/// `1h02m`, `3m10s`, `12s`
package func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "?" }
    guard seconds < 1e12 else { return "over 30,000 years" }
    let whole = Int(seconds.rounded())
    if whole >= 3600 { return "\(whole / 3600)h\(padded(whole % 3600 / 60))m" }
    return whole >= 60 ? "\(whole / 60)m\(padded(whole % 60))s" : "\(whole)s"
}

private func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

/// `number` with `digits` decimals.
package func fixed(_ number: Double, _ digits: Int) -> String {
    let scale = pow(10, Double(digits))
    guard number.isFinite, abs(number) < 1e15, abs(number) * scale < 1e18 else { return "\(number)" }
    let rounded = (abs(number) * scale).rounded()
    let whole = Int(rounded / scale), part = Int(rounded - Double(whole) * scale)
    let sign = number < 0 && rounded > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    let text = String(part)
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - text.count) + text
}

/// `1,234,567`
package func grouped(_ number: Int) -> String {
    var result = ""
    let digits = String(abs(number))
    for (i, digit) in digits.enumerated() {
        if i > 0, (digits.count - i) % 3 == 0 { result.append(",") }
        result.append(digit)
    }
    return (number < 0 ? "-" : "") + result
}
