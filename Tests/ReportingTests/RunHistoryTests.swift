import Diagnostics
import Foundation
import RunFormat
import TestSupport
import Testing

import Reporting

/// Writes a run's directory with these records and, in places, other lines.
func writeRun(_ directory: String, _ records: [StepRecord], other: [String] = [], ending: String = "") throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .ofRecords
    let lines = try records.map { String(decoding: try encoder.encode($0), as: UTF8.self) }
    let text = (other + lines).map { $0 + "\n" }.joined() + ending
    try text.write(toFile: "\(directory)/metrics.jsonl", atomically: true, encoding: .utf8)
}

/// Steps 1 to `count` of 100 tokens and two seconds each.
func records(_ count: Int, _ change: (inout StepRecord) -> Void = { _ in }) -> [StepRecord] {
    (1...count).map { step in
        var record = StepRecord()
        (record.step, record.tokens, record.seconds) = (step, 100 * step, 2)
        (record.loss, record.tokensPerSecond, record.mfu) = (4 + 1 / Double(step), 50, 0.5)
        (record.computeSeconds, record.exchangeSeconds) = (1.5, 0.5)
        record.loadImbalanceByLayer = [1.5, 2]
        record.droppedRatioByLayer = [0, 0.25]
        change(&record)
        return record
    }
}

@Suite("Histories of runs") struct RunHistoryTests {
    private func history(
        _ records: [StepRecord], other: [String] = [], ending: String = ""
    ) throws -> RunHistory {
        try inScratchFolder { folder in
            try writeRun("\(folder)/run", records, other: other, ending: ending)
            return try RunHistory("\(folder)/run")
        }
    }

    @Test("a history of any length has a bounded number of points, which keep means, ends and the last step")
    func thinning() throws {
        for count in [1, 2, 479, 480, 481, 960, 961, 5000] {
            let run = try history(records(count))
            let points = run.records.points
            #expect(points.count <= RunHistory.mostPoints && points.count >= min(count, RunHistory.mostPoints / 2))
            #expect(points.first?.steps.lowerBound == 1 && points.last?.steps.upperBound == count)
            #expect(zip(points, points.dropFirst()).allSatisfy { $0.steps.upperBound + 1 == $1.steps.lowerBound })
            let sum = points.reduce(0) { $0 + $1[.loss].mean! * Double($1[.loss].count) }
            #expect(abs(sum - (1...count).reduce(0) { $0 + 4 + 1 / Double($1) }) < 1e-8 * sum)
            #expect(points.first?[.loss].high == 5 && points.last?[.loss].low == 4 + 1 / Double(count))
            #expect(abs(run.hours * 3600 - 2 * Double(count)) < 1e-6 * Double(count))
        }
    }

    @Test("lines that are no records are counted, but for a last one that a job may be writing") func otherLines()
        throws
    {
        #expect(try history(records(3), other: ["not json", "{}"]).otherLines == 2)
        let run = try history(records(3), ending: "{\"step\": 4, \"lo")
        #expect(run.otherLines == 0 && run.lastStep == 3)
    }

    @Test("what is not finite is an event and no part of a curve") func notFinite() throws {
        let run = try history(
            records(4) { record in
                if record.step >= 3 { (record.loss, record.gradientNorm) = (.nan, .infinity) }
            })
        #expect(run.records.points.map { $0[.loss].count } == [1, 1, 0, 0])
        #expect(run.events.events.map(\.step) == [3])
        #expect(run.lastLoss == 4.5)
    }

    @Test("skipped steps, another host and a break are events; a long validation is none") func events() throws {
        let start = try Date("2026-01-01T00:00:00Z", strategy: .iso8601)
        let run = try history(
            records(9) { record in
                record.time =
                    (start + Double(2 * record.step + (record.step > 6 ? 7200 : 0) + (record.step > 3 ? 200 : 0)))
                    .formatted(.iso8601)
                record.host = record.step > 6 ? "b" : "a"
                if (4...5).contains(record.step) { record.skipped = true }
            })
        #expect(run.events.skippedSteps == 2)
        #expect(run.events.events.map(\.step) == [4, 7, 7])
        #expect(run.events.events[1].text.contains("host b") && run.events.events[2].text.contains("2h00m"))
    }

    @Test("many events and many validations are kept in bounded memory") func bounds() throws {
        let run = try history(
            records(3001) { record in
                record.validationLoss = 5
                record.host = record.step % 2 == 0 ? "a" : "b"
            })
        #expect(run.events.count == 3000 && run.events.events.count == RunEvents.limit)
        #expect(run.validations.count <= 1000 && run.validations.last?.step == 3001)
    }

    @Test("a directory without records is refused by name") func refusals() throws {
        try inScratchFolder { folder in
            let missing = #expect(throws: Failure.self) { try RunHistory("\(folder)/none") }
            #expect(missing?.status == .noInput && missing?.message.contains("none/metrics.jsonl") == true)
            try writeRun("\(folder)/empty", [])
            #expect(throws: Failure.self) { try ReportInputs(["\(folder)/empty"]) }
        }
    }
}
