import Diagnostics
import Foundation
import Platform

/// A file that a sink appends to: what is appended is in it whole, or waits in memory while the disk is full.
final class AppendedFile {
    let path: String
    private let handle: FileHandle
    /// What could not be written yet.
    private var waiting = Data()
    /// Bytes in the file.
    private(set) var bytes = 0

    /// Opens or creates the file, which is as it was until `cut`.
    /// - Throws: `cannotCreate` if it cannot be written, or is a link, a pipe or anything else but a regular file
    init(_ path: String) throws(Failure) {
        self.path = path
        handle = try Self.open(path)
    }

    private static func open(_ path: String) throws(Failure) -> FileHandle {
        let notRegular = Failure(
            .cannotCreate, "\(path) cannot be written: it is not a regular file",
            advice: "move away what is there, or choose another run.directory")
        // Without O_NONBLOCK a pipe would keep this waiting for a reader before it can be refused.
        let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let descriptor = unsafe Glibc.open(path, flags, 0o666)
        guard descriptor >= 0 else {
            guard errno != ELOOP, errno != ENXIO else { throw notRegular }
            throw Failure(system: .cannotCreate, "\(path) cannot be written", advice: notRegular.advice)
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard RegularFile.isRegular(descriptor) else { throw notRegular }
        return handle
    }

    /// Cuts off what follows the byte that `end` finds, and goes on there.
    func cut(after end: (RegularFile) throws(Failure) -> Int) throws(Failure) {
        let (folder, name) = splitPath(path)
        bytes = try end(RegularFile(name, in: OpenDirectory(folder)))
        do {
            try handle.truncate(atOffset: UInt64(bytes))
            try handle.seek(toOffset: UInt64(bytes))
        } catch {
            throw Failure(.cannotCreate, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }

    /// Writes `data`, and before it what could not be written.
    /// - Throws: `inputOutput` if there is no room; the file then ends where it ended before, and `data` waits in memory
    func append(_ data: some Sequence<UInt8>) throws(Failure) {
        waiting.append(contentsOf: data)
        try flush()
    }

    /// Writes what waits.
    /// - Throws: `inputOutput`, as `append`
    func flush() throws(Failure) {
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
