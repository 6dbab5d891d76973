package import Diagnostics

/// The sinks of a run. Each is on its own: where one fails, a warning says so, and the others and the run go on.
package final class RecordSinks {
    private let sinks: [any RecordSink]
    /// Whether the last record that a sink was handed could not be written, sink by sink.
    private var isBehind: [Bool]
    private let warn: (String) -> Void

    /// Prepares every sink for the records of steps after `step`.
    /// - Parameter warn: takes one warning for each row of failures of a sink
    /// - Throws: what a sink throws, before there is a record that could be lost
    package init(_ sinks: [any RecordSink], resumingAfter step: Int, warn: @escaping (String) -> Void) throws(Failure) {
        self.sinks = sinks
        self.warn = warn
        isBehind = sinks.map { _ in false }
        for sink in sinks { try sink.resume(after: step) }
    }

    /// Hands a record to every sink.
    package func append(_ record: StepRecord) {
        for (index, sink) in sinks.enumerated() {
            do {
                try sink.append(record)
                isBehind[index] = false
            } catch {
                fail(index, error)
            }
        }
    }

    /// Writes what waits, where it can be written.
    package func flush() {
        for (index, sink) in sinks.enumerated() {
            do {
                try sink.flush()
            } catch {
                fail(index, error)
            }
        }
    }

    private func fail(_ index: Int, _ failure: Failure) {
        if !isBehind[index] { warn("warning: records wait in memory, training goes on: \(failure)") }
        isBehind[index] = true
    }
}
