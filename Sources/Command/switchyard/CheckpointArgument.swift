import Checkpoints
import Collectives
import Diagnostics
import Platform

/// What a user can mean by a checkpoint: its directory, or a folder of checkpoints, or a run.
struct CheckpointArgument {
    let path: String
    /// Whether the average of its parameters stands for them.
    let takesAverage: Bool

    init(path: String, average takesAverage: Bool = false) {
        self.takesAverage = takesAverage
        // A slash at the end would stand twice in what is below.
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// The checkpoint itself, or all that the folder or run holds, oldest first.
    func all() throws(Failure) -> [String] {
        guard fileExists(path) else {
            throw Failure(.noInput, "there is no \(path)", advice: "name a checkpoint's directory or a run's")
        }
        if let folder { return CheckpointFolder(folder).published.map(\.directory) }
        // A run that has not saved yet is no damaged checkpoint.
        let isRun = ["lock", "config.yaml", "checkpoints"].contains { fileExists("\(path)/\($0)") }
        guard fileExists("\(path)/manifest") || !isRun else {
            throw Failure(
                .noInput, "\(path) holds no checkpoint yet", advice: "a run saves as checkpoint.every_… of it say")
        }
        try requireOwnFormat()
        return [path]
    }

    /// A directory of `transformers` says what it is, instead of counting as a damaged checkpoint.
    private func requireOwnFormat() throws(Failure) {
        guard !fileExists("\(path)/manifest"), fileExists("\(path)/config.json") else { return }
        throw Failure(
            .data,
            "\(path) is no checkpoint of Switchyard but a model of Hugging Face: it has a config.json and no manifest",
            advice: "`switchyard convert from-huggingface \(path) CHECKPOINT` makes a checkpoint of it, and checks it")
    }

    /// The checkpoint itself, or the newest that verifies; tells of those it passed over. All ranks verify it together if
    /// `ranks` are given. Collective then.
    func open(sharedBy ranks: (any Communicator)? = nil) throws(Failure) -> CheckpointReader {
        let folder = folder
        var place = folder ?? path, isFolder = folder != nil
        let look = { () throws(Failure) in if folder == nil { try requireOwnFormat() } }
        if let ranks { try Agreement(ranks: ranks).onRankZero(look) } else { try look() }
        if let ranks {
            // All look at what rank 0 sees: a network file system may not show every rank the same.
            let seen = try Agreement(ranks: ranks).broadcast("\(isFolder ? "+" : "-")\(place)")
            (isFolder, place) = (seen.hasPrefix("+"), String(seen.dropFirst()))
        }
        let reader = try isFolder ? newest(in: place, ranks) : CheckpointReader(place, sharedBy: ranks)
        if ranks?.rank ?? 0 == 0, let surplus = reader.surplusWarning { printError(surplus) }
        if takesAverage { try reader.takeAverages() }
        return reader
    }

    private func newest(in place: String, _ ranks: (any Communicator)?) throws(Failure) -> CheckpointReader {
        let (reader, skipped) = try CheckpointFolder(place).newest(sharedBy: ranks)
        for other in skipped where ranks?.rank ?? 0 == 0 {
            printError("passing over \(other.directory): \(other.reason.message)")
        }
        guard let reader else { throw Failure(.data, "no checkpoint in \(place) verifies") }
        return reader
    }

    /// The folder of checkpoints that is meant; nil if it is a checkpoint.
    private var folder: String? {
        [path, path + "/checkpoints"].first { !CheckpointFolder($0).published.isEmpty }
    }
}
