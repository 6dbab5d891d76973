import Checkpoints
import Collectives
import Diagnostics
import Foundation

/// What a user can mean by a checkpoint: its directory, or a folder of checkpoints, or a run.
struct CheckpointArgument {
    let path: String

    init(path: String) {
        // A slash at the end would stand twice in what is below.
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// The checkpoint itself, or all that the folder or run holds, oldest first.
    func all() throws(Failure) -> [String] {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.noInput, "there is no \(path)", advice: "name a checkpoint's directory or a run's")
        }
        return folder.map { CheckpointFolder($0).published.map(\.directory) } ?? [path]
    }

    /// The checkpoint itself, or the newest that verifies; tells of those it passed over. All ranks verify it together if
    /// `ranks` are given. Collective then.
    func open(sharedBy ranks: (any Communicator)? = nil) throws(Failure) -> CheckpointReader {
        var place = folder ?? path, isFolder = folder != nil
        if let ranks {
            // All look at what rank 0 sees: a network file system may not show every rank the same.
            let seen = try Agreement(ranks: ranks).gather(Array("\(isFolder ? "+" : "-")\(place)".utf8))[0]
            (isFolder, place) = (seen.first == UInt8(ascii: "+"), String(decoding: seen.dropFirst(), as: UTF8.self))
        }
        guard isFolder else { return try CheckpointReader(place, sharedBy: ranks) }
        let (reader, passedOver) = try CheckpointFolder(place).newest(sharedBy: ranks)
        for other in passedOver where ranks?.rank ?? 0 == 0 {
            complain("passing over \(other.directory): \(other.reason.message)")
        }
        guard let reader else { throw Failure(.data, "no checkpoint in \(place) verifies") }
        return reader
    }

    /// The folder of checkpoints that is meant; nil if it is a checkpoint.
    private var folder: String? {
        [path, path + "/checkpoints"].first { !CheckpointFolder($0).published.isEmpty }
    }
}
