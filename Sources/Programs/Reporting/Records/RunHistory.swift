package import Diagnostics
import Foundation
import Platform
package import RunFormat

/// A loss on the held-out text.
package struct ValidationPoint: Sendable {
    package let step, tokens: Int
    let hours, loss: Double
    let emaLoss, bitsPerByte: Double?
}

/// A run as its directory tells it, in memory that does not depend on its length.
package struct RunHistory: Sendable {
    package let directory: RunDirectory
    /// Nil where it is missing or not readable: the records stand for themselves.
    package let summary: RunSummary?
    /// The text of `config.yaml`.
    let configuration: String?
    package private(set) var records = ThinnedRecords()
    package private(set) var validations: [ValidationPoint] = []
    package private(set) var events = RunEvents()
    package private(set) var last: StepRecord
    /// Lines of `metrics.jsonl` that are no records.
    package private(set) var otherLines = 0
    /// Training time in all.
    package private(set) var hours = 0.0

    /// Validations that are drawn.
    private static let mostValidations = 1000

    /// Reads a run that is finished, stopped or still training.
    /// - Throws: `noInput` if `path` is no run directory, `data` if it has no records
    package init(_ path: String) throws(Failure) {
        directory = RunDirectory(path)
        summary = RunSummary.read(directory.summary)
        configuration = (try? RegularFile(directory.configuration).contents(limit: 1 << 24)).flatMap {
            String(validating: $0, as: UTF8.self)
        }
        guard fileExists(directory.metrics) else {
            throw Failure(
                .noInput, "there is no \(directory.metrics)",
                advice: "name the directory of a run, of a study, or a table of runs")
        }
        last = StepRecord()
        try read(RegularFile(directory.metrics))
        guard last.step > 0 else {
            throw Failure(.data, "\(directory.metrics) has no records", advice: "wait for the first step of the run")
        }
    }

    private mutating func read(_ file: RegularFile) throws(Failure) {
        var lines = FileLines(file, longest: StepRecord.longest), unread = 0
        let decoder = StepRecord.decoder()
        while let line = try lines.next() {
            guard !line.bytes.isEmpty else { continue }
            // A job may be writing the last line.
            otherLines += unread
            unread = 0
            if let record = try? decoder.decode(StepRecord.self, from: Data(line.bytes)), record.step > last.step {
                add(record)
            } else {
                unread = 1
            }
        }
    }

    private mutating func add(_ record: StepRecord) {
        if record.seconds.isFinite, record.seconds > 0 { hours += record.seconds / 3600 }
        records.add(RecordPoint(record, hours: hours))
        events.add(record)
        if let loss = record.validationLoss, loss.isFinite {
            if validations.count == Self.mostValidations {
                validations = validations.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
            }
            validations.append(
                ValidationPoint(
                    step: record.step, tokens: record.tokens, hours: hours, loss: loss,
                    emaLoss: record.emaValidationLoss, bitsPerByte: record.validationBitsPerByte))
        }
        last = record
    }

    /// The directory's name, which tells it from others.
    var name: String { splitPath(realPath(directory.path) ?? directory.path).name }
}
