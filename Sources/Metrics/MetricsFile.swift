package import Diagnostics
import Foundation

/// `metrics.jsonl`: one JSON object a step, appended whole.
package final class MetricsFile {
    private let path: String
    private let handle: FileHandle
    private let encoder = JSONEncoder()
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

    package func append(_ record: StepRecord) throws(Failure) {
        do {
            var line = try encoder.encode(record)
            line.append(UInt8(ascii: "\n"))
            try handle.write(contentsOf: line)
            bytes += line.count
        } catch {
            throw Failure(.inputOutput, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
