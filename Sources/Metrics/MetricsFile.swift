package import Diagnostics
import Foundation

/// `metrics.jsonl`: one JSON object a step, appended whole.
package final class MetricsFile {
    private let path: String
    private let handle: FileHandle
    private let encoder = JSONEncoder()
    /// Records that could not be written yet.
    private var waiting = Data()
    /// Bytes written so far: a checkpoint remembers them, and a resumed run cuts off what came after.
    package private(set) var bytes: Int

    /// Opens or creates the file and cuts it to `bytes`, the length it had at the checkpoint that training resumes from.
    /// - Throws: `cannotCreate` if the file cannot be written
    package init(_ path: String, keeping bytes: Int) throws(Failure) {
        self.path = path
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do {
            if !FileManager.default.fileExists(atPath: path) {
                try Data().write(to: URL(fileURLWithPath: path))
            }
            handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            let length = try handle.seekToEnd()
            self.bytes = min(bytes, Int(length))
            try handle.truncate(atOffset: UInt64(self.bytes))
        } catch {
            throw Failure(.cannotCreate, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// Writes a record, and before it those that could not be written.
    /// - Throws: `inputOutput` if there is no room; the file then ends after the last whole record, and the others wait in
    ///   memory
    package func append(_ record: StepRecord) throws(Failure) {
        do {
            waiting += try encoder.encode(record) + [UInt8(ascii: "\n")]
        } catch {
            throw Failure(.software, "\(path): the record of step \(record.step) cannot be encoded: \(error)")
        }
        try flush()
    }

    /// Writes what waits.
    /// - Throws: `inputOutput`, as `append`
    package func flush() throws(Failure) {
        guard !waiting.isEmpty else { return }
        do {
            try handle.write(contentsOf: waiting)
            bytes += waiting.count
            waiting = Data()
        } catch {
            // Best effort: what cannot be cut off now is overwritten by the next attempt.
            try? handle.truncate(atOffset: UInt64(bytes))
            try? handle.seek(toOffset: UInt64(bytes))
            throw Failure(.inputOutput, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
