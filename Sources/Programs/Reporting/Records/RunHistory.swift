import Charts
package import Diagnostics
import Foundation
import Platform
package import RunFormat

/// A loss on the held-out text.
package struct ValidationPoint: Sendable {
    package let step, tokens: Int
    let hours, loss: Double
    let emaLoss, bitsPerByte: Double?
    /// Empty where the text is not of several sources.
    let lossBySource: [Double?]
}

/// A run as its directory tells it, in memory that does not depend on its length.
package struct RunHistory: Sendable {
    package let directory: RunDirectory
    /// Nil where it is missing or not readable: the records stand for themselves.
    package let summary: RunSummary?
    /// The text of `config.yaml`.
    let configuration: String?
    package private(set) var records = Thinned<RecordPoint>(limit: Self.mostPoints)
    package private(set) var loads = Thinned<ExpertLoadPoint>(limit: Self.mostLoadPoints)
    /// Assignments to every expert over the mean of its layer, in the last record that has them.
    private(set) var lastLoads: [[Double]] = []
    package private(set) var validations: [ValidationPoint] = []
    package private(set) var events = RunEvents()
    /// Nil of a run that has no records yet.
    package private(set) var last: StepRecord?
    /// Lines of `metrics.jsonl` that are no records, or not of a later step than the one before.
    package private(set) var otherLines = 0
    /// Training time in all.
    package private(set) var hours = 0.0

    /// Points enough for a curve as wide as a screen.
    package static let mostPoints = 480
    /// Columns enough for a map: the loads of many experts take memory.
    package static let mostLoadPoints = 96
    /// Validations that are drawn.
    private static let mostValidations = 1000

    /// What has been read of `metrics.jsonl`: the file, and the bytes of whole lines.
    private var file: FileIdentity
    private var position = 0

    /// Reads a run that is finished, stopped or still training.
    /// - Throws: `noInput` if `path` is no run directory
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
        let metrics = try RegularFile(directory.metrics)
        file = metrics.identity
        try read(metrics)
    }

    /// Reads what has been written since. Records that a job has cut off are forgotten.
    /// - Throws: as `init`
    package mutating func refresh() throws(Failure) {
        let metrics = try RegularFile(directory.metrics)
        guard metrics.identity == file, metrics.size >= position else {
            self = try RunHistory(directory.path)
            return
        }
        try read(metrics)
    }

    private mutating func read(_ metrics: RegularFile) throws(Failure) {
        var lines = FileLines(metrics, longest: StepRecord.longest, from: position)
        let decoder = StepRecord.decoder()
        while let line = try lines.next() {
            // The last line may be one that a job is writing.
            guard position + line.bytes.count < metrics.size else { return }
            position += line.bytes.count + 1
            guard !line.bytes.isEmpty else { continue }
            guard let record = try? decoder.decode(StepRecord.self, from: Data(line.bytes)), follows(record) else {
                otherLines += 1
                continue
            }
            add(record)
        }
    }

    /// Whether `record` can be the next one: counts grow, and stay where they are exact as floating-point numbers.
    private func follows(_ record: StepRecord) -> Bool {
        let greatest = 1 << 53
        return record.step > lastStep && record.step <= greatest && record.tokens >= last?.tokens ?? 0
            && record.tokens <= greatest
    }

    /// 0 of a run without records.
    package var lastStep: Int { last?.step ?? 0 }

    private mutating func add(_ record: StepRecord) {
        if record.seconds.isDrawable, record.seconds > 0 { hours += record.seconds / 3600 }
        records.add(RecordPoint(record, hours: hours))
        events.add(record)
        if let load = ExpertLoadPoint(record) {
            loads.add(load)
            lastLoads = load.relativeLoads
        }
        if let loss = record.validationLoss, loss.isDrawable {
            if validations.count == Self.mostValidations {
                validations = validations.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
            }
            validations.append(
                ValidationPoint(
                    step: record.step, tokens: record.tokens, hours: hours, loss: loss,
                    emaLoss: record.emaValidationLoss, bitsPerByte: record.validationBitsPerByte,
                    lossBySource: record.validationLossBySource ?? []))
        }
        last = record
    }

    /// The directory's name, which tells it from others.
    var name: String { splitPath(realPath(directory.path) ?? directory.path).name }
}
