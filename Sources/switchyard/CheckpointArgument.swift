import Checkpoints
import Diagnostics
import Foundation

/// What a user can mean by a checkpoint: its directory, or a folder of checkpoints, or a run.
struct CheckpointArgument {
    let path: String

    /// The checkpoint itself, or all that the folder or run holds, oldest first.
    func all() throws(Failure) -> [String] {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.noInput, "there is no \(path)", advice: "name a checkpoint's directory or a run's")
        }
        for folder in [path, path + "/checkpoints"] {
            let published = CheckpointFolder(folder).published
            if !published.isEmpty { return published.map(\.directory) }
        }
        return [path]
    }

    /// The checkpoint itself, or the newest that verifies; tells of those it passed over.
    func open() throws(Failure) -> CheckpointReader {
        for folder in [path, path + "/checkpoints"] where !CheckpointFolder(folder).published.isEmpty {
            let (reader, passedOver) = try CheckpointFolder(folder).newest()
            for other in passedOver { complain("passing over \(other.directory): \(other.reason.message)") }
            guard let reader else { throw Failure(.data, "no checkpoint in \(folder) verifies") }
            return reader
        }
        return try CheckpointReader(path)
    }
}
