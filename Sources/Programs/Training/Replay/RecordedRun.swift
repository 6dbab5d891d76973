import Checkpoints
import Configuration
import Diagnostics
import Foundation
import Platform
import RunFormat

/// What an exact-mode run left in its directory, to be recomputed from.
struct RecordedRun {
    let directory: RunDirectory
    /// Of the job that took the step in question, as far as checkpoints tell.
    let configuration: RunConfiguration
    /// What that job trained on; empty where no checkpoint says so.
    let data: StoredData
    /// By step, of those that are recomputed.
    let records: [Int: StepRecord]
    /// Verified, from before the step in question; nil if there is none.
    let start: CheckpointReader?

    /// - Parameters:
    ///   - step: the last one to recompute
    ///   - log: takes warnings
    /// - Throws: `noInput` if the run or the step is not there, `configuration` if it cannot be recomputed exactly
    init(_ directory: RunDirectory, upTo step: Int, log: (String) -> Void) throws(Failure) {
        self.directory = directory
        (configuration, data) = try Self.job(of: directory, at: step)
        guard configuration.reproducible else {
            throw Failure(
                .configuration,
                "\(directory.path) was trained in default mode, whose bits depend on the layout: it cannot be replayed",
                advice: "runs with `reproducible: true` can")
        }
        start = try Self.newestCheckpoint(of: directory, before: step, log: log)
        let first = (start?.record.step ?? 0) + 1
        let (records, all) = try Self.records(of: directory, steps: first...step)
        self.records = records
        guard records[step] != nil else {
            let range = all.map { "steps \($0.lowerBound) to \($0.upperBound)" } ?? "no steps"
            throw Failure(.noInput, "\(directory.metrics) has no record of step \(step); it has \(range)")
        }
        if start == nil, records[1] == nil {
            throw Failure(
                .noInput,
                "no checkpoint of \(directory.path) before step \(step) verifies, and the run does not begin "
                    + "at step 1",
                advice: "replay a later step; checkpoint.keep and checkpoint.keep_every say which checkpoints stay")
        }
    }

    /// The job that took `step` wrote the first checkpoint from there on, if it is still there, or is the last one.
    private static func job(
        of directory: RunDirectory, at step: Int
    ) throws(Failure) -> (RunConfiguration, StoredData) {
        let folder = CheckpointFolder(directory.checkpoints)
        if let later = folder.published.first(where: { $0.step >= step }) {
            let reader = try? CheckpointReader(later.directory)
            if let reader {
                try reader.close()
                let text = reader.record.configuration
                let stored = try RunConfiguration(
                    ConfigurationDocument(yaml: text, file: "\(later.directory) (stored)", isStored: true))
                return (stored, StoredData(extras: reader.record.extras))
            }
        }
        let bytes = try file(directory.configuration).contents(limit: 1 << 24)
        let text = String(decoding: bytes, as: UTF8.self)
        let settings = try ConfigurationDocument(yaml: text, file: directory.configuration, isStored: true)
        return (try RunConfiguration(settings), StoredData(extras: [:]))
    }

    private static func file(_ path: String) throws(Failure) -> RegularFile {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.noInput, "there is no \(path)", advice: "name the directory of a run")
        }
        return try RegularFile(path)
    }

    /// Records of `steps`, and which the file has.
    private static func records(
        of directory: RunDirectory, steps: ClosedRange<Int>
    ) throws(Failure) -> (records: [Int: StepRecord], all: ClosedRange<Int>?) {
        var lines = FileLines(try file(directory.metrics), longest: StepRecord.longest)
        let decoder = StepRecord.decoder()
        var records: [Int: StepRecord] = [:], all: ClosedRange<Int>?
        while let line = try lines.next() {
            guard !line.bytes.isEmpty else { continue }
            do {
                let record = try decoder.decode(StepRecord.self, from: Data(line.bytes))
                all =
                    min(all?.lowerBound ?? record.step, record.step)...max(all?.upperBound ?? record.step, record.step)
                if steps.contains(record.step) { records[record.step] = record }
            } catch {
                throw Failure(.data, "\(directory.metrics), line \(line.number) is no step's record: \(error)")
            }
        }
        return (records, all)
    }

    private static func newestCheckpoint(
        of directory: RunDirectory, before step: Int, log: (String) -> Void
    ) throws(Failure) -> CheckpointReader? {
        for candidate in CheckpointFolder(directory.checkpoints).published.reversed() where candidate.step < step {
            do {
                return try CheckpointReader(candidate.directory)
            } catch {
                log("warning: passing over \(candidate.directory): \(error.message)")
            }
        }
        return nil
    }
}
