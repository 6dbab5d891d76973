/// A trace in the format of Chrome's and Perfetto's viewers: one process for each rank, complete events ("X") on a
/// track for its steps, one for each thread of its team and one for each other thread, which the viewers nest by time.
///
/// "Trace Event Format" (Google, 2016), sections "JSON Object Format" and "Complete Events".
package struct TraceDocument: Sendable {
    private var events: [String] = []
    private var lost = 0

    package init() {}

    /// The events of one rank's spans as JSON, joined by commas: what ranks send to the one that writes.
    package static func events(_ spans: [TraceInterval], rank: Int, track: Int = 0) -> String {
        spans.map { span in
            let values = [("number", Int64(span.number)), ("bytes", span.bytes)].filter { $0.1 >= 0 }
            let list = values.map { #""\#($0.0)": \#($0.1)"# }.joined(separator: ", ")
            let arguments = values.isEmpty ? "" : #", "args": {\#(list)}"#
            return #"{"name": "\#(span.phase.name)", "cat": "\#(span.phase.kind.rawValue)", "ph": "X", "#
                + #""ts": \#(microseconds(span.start)), "dur": \#(microseconds(span.duration)), "#
                + #""pid": \#(rank), "tid": \#(track)\#(arguments)}"#
        }
        .joined(separator: ",\n")
    }

    /// - Parameters:
    ///   - events: from `events(_:rank:track:)`
    ///   - lost: spans that there was no room for
    package mutating func add(_ events: String, lost: Int) {
        if !events.isEmpty { self.events.append(events) }
        self.lost += lost
    }

    /// Names a rank and its first track.
    package mutating func name(rank: Int, host: String) {
        let place = host.filter { $0.isLetter || $0.isNumber || "-._".contains($0) }
        events.append(
            #"{"name": "process_name", "ph": "M", "pid": \#(rank), "tid": 0, "args": {"name": "rank \#(rank) (\#(place))"}}"#
        )
        name(track: 0, ofRank: rank, "steps")
    }

    /// Names one more track of a rank.
    package mutating func name(track: Int, ofRank rank: Int, _ name: String) {
        events.append(
            #"{"name": "thread_name", "ph": "M", "pid": \#(rank), "tid": \#(track), "args": {"name": "\#(name)"}}"#)
    }

    /// The whole document.
    package var json: String {
        #"{"displayTimeUnit": "ms", "otherData": {"lost_spans": \#(lost)}, "traceEvents": ["# + "\n"
            + events.joined(separator: ",\n") + "\n]}\n"
    }

    /// `12.345` from nanoseconds.
    private static func microseconds(_ nanoseconds: Int64) -> String {
        let digits = String(1000 + nanoseconds % 1000)
        return "\(nanoseconds / 1000).\(digits.dropFirst())"
    }
}
