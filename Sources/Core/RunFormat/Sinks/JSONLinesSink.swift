package import Diagnostics
import Foundation
import Platform

/// `metrics.jsonl`: one JSON object a step, appended whole.
package final class JSONLinesSink {
    private let path: String
    private let handle: FileHandle
    private let encoder = JSONEncoder()
    /// Records that could not be written yet.
    private var waiting = Data()
    /// Bytes written so far: a checkpoint remembers them, and a resumed run cuts off what came after.
    package private(set) var bytes: Int

    /// Opens or creates the file and cuts off the records of steps after `step`, from which training goes on. Lines that are no
    /// records stay where they stand between those that are kept.
    /// - Throws: `cannotCreate` if the file cannot be written, or is a link, a pipe or anything else but a regular file
    package init(_ path: String, keepingThrough step: Int) throws(Failure) {
        self.path = path
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .ofRecords
        handle = try Self.open(path)
        let (folder, name) = splitPath(path)
        bytes = try RecordLines.end(ofStepsThrough: step, in: RegularFile(name, in: OpenDirectory(folder)))
        do {
            try handle.truncate(atOffset: UInt64(bytes))
            try handle.seek(toOffset: UInt64(bytes))
        } catch {
            throw Failure(.cannotCreate, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// The step of the last record of a file; nil if it has none, or there is no such file.
    /// - Throws: `inputOutput` if it cannot be read
    package static func lastStep(of path: String) throws(Failure) -> Int? {
        guard let file = try? RegularFile(path) else { return nil }
        return try RecordLines.lastStep(in: file)
    }

    private static func open(_ path: String) throws(Failure) -> FileHandle {
        let notRegular = Failure(
            .cannotCreate, "\(path) cannot be written: it is not a regular file",
            advice: "move away what is there, or choose another run.directory")
        // Without O_NONBLOCK a pipe would keep this waiting for a reader before it can be refused.
        let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let descriptor = Glibc.open(path, flags, 0o666)
        guard descriptor >= 0 else {
            guard errno != ELOOP, errno != ENXIO else { throw notRegular }
            throw Failure(system: .cannotCreate, "\(path) cannot be written", advice: notRegular.advice)
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard RegularFile.isRegular(descriptor) else { throw notRegular }
        return handle
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
