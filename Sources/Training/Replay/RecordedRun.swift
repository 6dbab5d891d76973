import Checkpoints
import Diagnostics
import FileSystem
import Foundation
import Metrics
import Settings

/// What an exact-mode run left in its directory, to be recomputed from.
struct RecordedRun {
    let directory: RunDirectory
    /// Of the job that took the step in question, as far as checkpoints tell.
    let configuration: RunConfiguration
    /// What that job trained on; empty where no checkpoint says so.
    let data: StoredData
    /// By step.
    let records: [Int: StepRecord]
    /// Verified, from before the step in question; nil if there is none.
    let start: CheckpointReader?

    /// - Parameters:
    ///   - step: the last one to recompute
    ///   - say: takes warnings
    /// - Throws: `noInput` if the run or the step is not there, `configuration` if it cannot be recomputed exactly
    init(_ directory: RunDirectory, upTo step: Int, say: (String) -> Void) throws(Failure) {
        self.directory = directory
        (configuration, data) = try Self.job(of: directory, at: step)
        guard configuration.reproducible else {
            throw Failure(
                .configuration,
                "\(directory.path) was trained in default mode, whose bits depend on the layout: it cannot be replayed",
                advice: "runs with `reproducible: true` can")
        }
        records = try Self.records(of: directory)
        guard records[step] != nil else {
            let range = records.isEmpty ? "no steps" : "steps \(records.keys.min()!) to \(records.keys.max()!)"
            throw Failure(.noInput, "\(directory.metrics) has no record of step \(step); it has \(range)")
        }
        start = try Self.newestCheckpoint(of: directory, before: step, say: say)
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
                    SettingsDocument(yaml: text, file: "\(later.directory) (stored)", isStored: true))
                return (stored, StoredData(extras: reader.record.extras))
            }
        }
        let bytes = try contents(of: directory.configuration, limit: 1 << 24)
        let text = String(decoding: bytes, as: UTF8.self)
        let settings = try SettingsDocument(yaml: text, file: directory.configuration, isStored: true)
        return (try RunConfiguration(settings), StoredData(extras: [:]))
    }

    private static func contents(of file: String, limit: Int) throws(Failure) -> [UInt8] {
        guard FileManager.default.fileExists(atPath: file) else {
            throw Failure(.noInput, "there is no \(file)", advice: "name the directory of a run")
        }
        return try RegularFile(file).contents(limit: limit)
    }

    private static func records(of directory: RunDirectory) throws(Failure) -> [Int: StepRecord] {
        let bytes = Data(try contents(of: directory.metrics, limit: 1 << 36))
        let decoder = JSONDecoder.ofRecords()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        var records: [Int: StepRecord] = [:]
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
            do {
                let record = try decoder.decode(StepRecord.self, from: line)
                records[record.step] = record
            } catch {
                throw Failure(.data, "\(directory.metrics), line \(number + 1) is no step's record: \(error)")
            }
        }
        return records
    }

    private static func newestCheckpoint(
        of directory: RunDirectory, before step: Int, say: (String) -> Void
    ) throws(Failure) -> CheckpointReader? {
        for candidate in CheckpointFolder(directory.checkpoints).published.reversed() where candidate.step < step {
            do {
                return try CheckpointReader(candidate.directory)
            } catch {
                say("warning: passing over \(candidate.directory): \(error.message)")
            }
        }
        return nil
    }
}
