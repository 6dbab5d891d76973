import Diagnostics
import Foundation
import RunFormat

/// Something that happened to a run besides steps.
package struct RunEvent: Sendable, Equatable {
    package let step: Int
    /// ISO 8601, UTC; nil in records of versions that did not say.
    let time: String?
    package let text: String
}

/// What the records say besides numbers: steps that were skipped, breaks, other hosts, losses that are not finite.
package struct RunEvents: Sendable {
    /// Events that are kept.
    package static let limit = 200
    /// Without a record for longer than so many seconds and so many steps, a run was interrupted: a validation or a save may take
    /// as long as some steps.
    private static let longestPause = 300.0, longestPauseInSteps = 50.0

    package private(set) var events: [RunEvent] = []
    package private(set) var count = 0
    package private(set) var skippedSteps = 0
    private(set) var stalls = ValueRange()
    private var last: StepRecord?
    private var lastEnd: Date?

    mutating func add(_ record: StepRecord) {
        if !record.loss.isFinite, last?.loss.isFinite != false { note(record, "the loss is not finite") }
        if record.skipped == true {
            skippedSteps += 1
            if last?.skipped != true { note(record, "skipped: its gradient was no number or an outlier") }
        }
        if let host = record.host, let before = last?.host, host != before {
            note(record, "goes on on host \(host), after \(before)")
        }
        if let stall = record.checkpointStallSeconds { stalls.add(stall) }
        let end = record.time.flatMap { try? Date($0, strategy: .iso8601) }
        if let end, let lastEnd { notePause(end.timeIntervalSince(lastEnd) - record.seconds, before: record) }
        lastEnd = end ?? lastEnd
        last = record
    }

    private mutating func notePause(_ pause: Double, before record: StepRecord) {
        guard pause > Self.longestPause, pause > Self.longestPauseInSteps * record.seconds else { return }
        note(record, "nothing was recorded for \(duration(pause)) before this step")
    }

    private mutating func note(_ record: StepRecord, _ text: String) {
        count += 1
        if events.count < Self.limit { events.append(RunEvent(step: record.step, time: record.time, text: text)) }
    }
}
