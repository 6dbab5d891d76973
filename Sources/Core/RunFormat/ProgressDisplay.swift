import Diagnostics
import Platform
import Synchronization

/// Progress of long work on standard error: one line rewritten in place on a terminal, plain lines now and then elsewhere.
/// Any thread may show.
package final class ProgressDisplay: Sendable {
    private let isTerminal: Bool
    private let columns: @Sendable () -> Int?
    private let put: @Sendable (String) -> Void
    private let interval: Double
    private let isQuiet: Bool
    private let shown = Mutex(Shown())

    private struct Shown {
        var last: ContinuousClock.Instant?
        var width = 0
    }

    /// On standard error.
    /// - Parameter isQuiet: whether only what `log` is given is shown
    package convenience init(isQuiet: Bool = false) {
        self.init(isTerminal: isatty(2) == 1, isQuiet: isQuiet, columns: { terminalColumns(of: 2) }) { text in
            var text = text
            text.withUTF8 { bytes in _ = unsafe write(2, bytes.baseAddress, bytes.count) }
        }
    }

    /// - Parameters:
    ///   - isTerminal: whether a carriage return goes back to the beginning of the line
    ///   - isQuiet: whether only what `log` is given is shown
    ///   - columns: how many the terminal has at this moment, nil if that is not known
    ///   - put: takes what is shown
    package init(
        isTerminal: Bool, isQuiet: Bool = false, columns: @escaping @Sendable () -> Int? = { nil },
        put: @escaping @Sendable (String) -> Void
    ) {
        self.isTerminal = isTerminal
        self.isQuiet = isQuiet
        self.columns = columns
        self.put = put
        interval = isTerminal ? 0.2 : 10
    }

    /// Shows `text` if the last one is old enough, or always if `important`. A line that is to be rewritten must fit into its row:
    /// on a terminal that is too narrow its end is left out.
    package func show(_ text: @autoclosure () -> String, important: Bool = false) {
        show(fitting: { _ in text() }, important: important)
    }

    /// The same for a line that can be said in fewer words.
    /// - Parameters:
    ///   - text: a line of at most `columns` characters, or of as few as it can be; nil: of any number
    ///   - important: whether it is shown in any case, and stays
    package func show(fitting text: (_ columns: Int?) -> String, important: Bool = false) {
        if !isQuiet { output(fitting: text, important: important) }
    }

    private func output(fitting text: (_ columns: Int?) -> String, important: Bool) {
        shown.withLock { shown in
            let now = ContinuousClock.now
            if !important, let last = shown.last, (now - last) / .seconds(1) < interval { return }
            shown.last = now
            // The last column stays free: some terminals go to the next row when it is written.
            let columns = isTerminal && !important ? columns().map { max(1, $0 - 1) } : nil
            var line = visible(text(columns), keepingLines: true)
            guard isTerminal else { return put(line + "\n") }
            if let columns { line = String(line.prefix(columns)) }
            let rest = String(repeating: " ", count: max(0, shown.width - line.count))
            put("\r" + line + rest + (important ? "\n" : ""))
            shown.width = important ? 0 : line.count
        }
    }

    /// A line of its own, which stays.
    package func log(_ text: String) { output(fitting: { _ in text }, important: true) }
}
