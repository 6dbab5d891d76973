package import Diagnostics
import Foundation
import Platform

/// `metrics.jsonl`: one JSON object a step, appended whole.
package final class JSONLinesSink: RecordSink {
    private let file: AppendedFile
    /// Bytes written so far: a checkpoint remembers them.
    package var bytes: Int { file.bytes }

    /// - Throws: `cannotCreate` if the file cannot be written, or is a link, a pipe or anything else but a regular file
    package init(_ path: String) throws(Failure) {
        file = try AppendedFile(path)
    }

    /// The step of the last record of a file; nil if it has none, or there is no such file.
    /// - Throws: `inputOutput` if it cannot be read
    package static func lastStep(of path: String) throws(Failure) -> Int? {
        guard let file = try? RegularFile(path) else { return nil }
        return try RecordLines.last(in: file, step(of:))
    }

    /// The last record of a file; nil if it has none, or there is no such file.
    /// - Throws: `inputOutput` if it cannot be read
    package static func lastRecord(of path: String) throws(Failure) -> StepRecord? {
        guard let file = try? RegularFile(path) else { return nil }
        let decoder = StepRecord.decoder()
        return try RecordLines.last(in: file) { try? decoder.decode(StepRecord.self, from: Data($0)) }
    }

    /// Cuts off the records of later steps. Lines that are no records stay where they stand between those that are kept.
    package func resume(after step: Int) throws(Failure) {
        try file.cut { (file) throws(Failure) in
            try RecordLines(step: Self.step(of:)).end(ofStepsThrough: step, in: file)
        }
    }

    package func append(_ record: StepRecord) throws(Failure) {
        let line = try record.encoded(for: file.path)
        try file.append(line + [UInt8(ascii: "\n")])
    }

    package func flush() throws(Failure) { try file.flush() }

    private struct Step: Decodable { var step: Int }

    private static func step(of line: [UInt8]) -> Int? {
        guard line.first == UInt8(ascii: "{") else { return nil }
        return (try? JSONDecoder().decode(Step.self, from: Data(line)))?.step
    }
}
