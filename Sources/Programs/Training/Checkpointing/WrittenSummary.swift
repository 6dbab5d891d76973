import Diagnostics
import RunFormat

/// The `run.json` of a running job, on the rank that writes it.
final class WrittenSummary {
    private let directory: RunDirectory
    /// As it is in the file; nil on ranks that write none.
    private var facts: RunSummary?

    init(in directory: RunDirectory) { self.directory = directory }

    /// - Throws: `cannotCreate` if it cannot be written
    func write(_ facts: RunSummary) throws(Failure) {
        try directory.write(facts.json, to: directory.summary)
        self.facts = facts
    }

    /// Notes that there is a checkpoint. Best effort: what cannot be written now is written after the next one.
    func noteCheckpoint() {
        guard var facts, facts.hasCheckpoints != true else { return }
        facts.hasCheckpoints = true
        try? write(facts)
    }
}
