package import Collectives
package import Diagnostics
import Platform

/// The folder that holds a run's checkpoints: which are there, which is the newest, which may go.
package struct CheckpointFolder: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// Published checkpoints by step, oldest first. Nothing is verified.
    package var published: [(step: Int, directory: String)] {
        (Files.names(in: path) ?? []).compactMap { name in
            CheckpointNames.step(of: name).map { ($0, "\(path)/\(name)") }
        }.sorted { $0.0 < $1.0 }
    }

    /// Makes the folder if somebody has moved or removed it while its run goes on.
    /// - Returns: whether it had gone
    /// - Throws: `cannotCreate` with the system's reason
    package func restore() throws(Failure) -> Bool {
        guard !Files.isDirectory(path) else { return false }
        try Files.makeDirectory(path)
        return true
    }

    /// Whether there is something of that name, also a link that leads nowhere.
    package var exists: Bool { Files.exists(path) }

    /// A checkpoint that was not used, and why.
    package struct SkippedCheckpoint: Sendable {
        package var directory: String
        package var reason: Failure
    }

    /// The newest checkpoint that verifies, open to read, and the newer ones that do not. There is no pointer to it that
    /// could be stale. Collective if `ranks` are given.
    package func newest(
        sharedBy ranks: (any Communicator)? = nil
    ) throws(Failure) -> (reader: CheckpointReader?, skipped: [SkippedCheckpoint]) {
        var outcome: (reader: CheckpointReader?, skipped: [SkippedCheckpoint]) = (nil, [])
        // A job that saves meanwhile removes old checkpoints once newer ones are there: then those are looked for.
        for _ in 0..<Self.looks {
            var hasVanished = false
            outcome = (nil, [])
            for directory in try agreed(published.map(\.directory), ranks).reversed() {
                do {
                    outcome.reader = try CheckpointReader(directory, sharedBy: ranks)
                    return outcome
                } catch {
                    if error.status == .communication { throw error }
                    if try agreed(Files.exists(directory) ? [directory] : [], ranks).isEmpty {
                        hasVanished = true
                    } else {
                        outcome.skipped.append(SkippedCheckpoint(directory: directory, reason: error))
                    }
                }
            }
            if !hasVanished { break }
        }
        return outcome
    }

    private static let looks = 5

    /// What rank 0 sees: a network file system may not show every rank the same.
    private func agreed(_ directories: [String], _ ranks: (any Communicator)?) throws(Failure) -> [String] {
        guard let ranks else { return directories }
        let seen = try Agreement(ranks: ranks).broadcast(directories.joined(separator: "\n"))
        return seen.split(separator: "\n").map(String.init)
    }
}

/// Which checkpoints stay.
package struct Retention: Sendable, Equatable {
    /// The newest ones.
    package var last: Int
    /// Those whose step is a multiple of this.
    package var every: Int?
    /// The one with the best validation loss.
    package var best: Int?
    /// Those of these steps.
    package var steps: Set<Int>

    package init(last: Int, every: Int? = nil, best: Int? = nil, steps: Set<Int> = []) {
        self.last = last
        self.every = every
        self.best = best
        self.steps = steps
    }

    fileprivate func keepsForGood(_ step: Int) -> Bool {
        let isMultiple = every.map { $0 > 0 && step % $0 == 0 } ?? false
        return isMultiple || step == best || steps.contains(step)
    }
}

extension CheckpointFolder {
    /// Removes what `retention` does not keep, oldest first. For one rank, after a new checkpoint is published.
    ///
    /// Only checkpoints whose files are all there in the right size count as the newest, so that damaged ones do not push
    /// out the last good one. One is renamed before it is removed: half a checkpoint is never visible. What is no checkpoint of
    /// the step in its name stays: somebody else has put it there.
    /// - Parameter owns: throws if the folder is not this job's any more; asked before each removal
    /// - Returns: the steps removed
    @discardableResult
    package func apply(
        _ retention: Retention, faults: FaultPoints = FaultPoints(), owns: () throws(Failure) -> Void = {}
    ) throws(Failure) -> [Int] {
        let all = published
        let intact = all.filter { isComplete($0.directory) }
        guard let oldestKept = intact.suffix(max(1, retention.last)).first?.step else { return [] }
        var removed: [Int] = []
        for (step, directory) in all where step < oldestKept {
            if retention.keepsForGood(step) || !isCheckpoint(directory, of: step) { continue }
            let doomed = "\(path)/\(CheckpointNames.removing(step: step))"
            try owns()
            try removeTree(doomed)
            try Files.rename(directory, to: doomed)
            try faults.inject(.retention, step: all.last?.step ?? step)
            try removeTree(doomed)
            removed.append(step)
        }
        return removed
    }

    private func isComplete(_ directory: String) -> Bool {
        (try? Verification(directory))?.obviousFindings().isEmpty ?? false
    }

    private func isCheckpoint(_ directory: String, of step: Int) -> Bool {
        (try? Verification(directory))?.manifest.step == step
    }
}
