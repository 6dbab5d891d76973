import Checkpoints
package import Collectives
package import Configuration
package import Data
package import Diagnostics
import Platform
import RunFormat
import Tokenizers

/// The checkpoint whose weights a job takes on: the run's own newest one, or one of another run.
///
/// Its tokenizer is the only one that counts, because its weights mean nothing under another.
package struct Origin {
    enum Kind: Sendable {
        case own
        /// The whole state of another run.
        case branch
        /// The parameters of another run.
        case weights
    }

    let kind: Kind
    let reader: CheckpointReader
    package let tokenizer: GivenTokenizer
    /// Data used so far by the run that goes on; nothing where only parameters are taken.
    let consumed: Consumed
    /// What differs from the stored configuration and may, as `key: old → new`.
    let changes: [String]

    package var directory: String { reader.directory }
    /// Optimizer steps that the run has done.
    package var step: Int { kind == .weights ? 0 : reader.record.step }

    /// Finds and verifies it, and compares what it says of itself with the configuration. **Collective** over `world`.
    /// - Parameter log: takes what the user should know, on rank 0
    /// - Returns: nil if the run starts from initial parameters
    /// - Throws: `data` if it cannot be used, `configuration` if its tokenizer is another one than the configuration asks
    ///   for, or if keys differ that must not
    package static func find(
        for configuration: RunConfiguration, _ options: TrainingOptions, on world: any Communicator,
        log: (String) -> Void
    ) throws(Failure) -> Origin? {
        if let own = try newest(of: configuration, options, on: world, log) {
            if world.rank == 0, let other = options.start.checkpoint {
                log("\(other) is left aside: the run has its own checkpoints")
            }
            return try Origin(.own, own, configuration, options, on: world)
        }
        switch options.start {
        case .random: return nil
        case .weights(let path):
            return try Origin(.weights, CheckpointReader(path, sharedBy: world), configuration, options, on: world)
        case .branch(let path):
            return try Origin(.branch, CheckpointReader(path, sharedBy: world), configuration, options, on: world)
        }
    }

    private static func newest(
        of configuration: RunConfiguration, _ options: TrainingOptions, on world: any Communicator,
        _ log: (String) -> Void
    ) throws(Failure) -> CheckpointReader? {
        let folder = CheckpointFolder(RunDirectory(configuration.directory).checkpoints)
        let (reader, skipped) = try folder.newest(sharedBy: world)
        if options.requireNewest, let newest = skipped.first {
            throw Failure(
                .data, "the newest checkpoint cannot be used: \(newest.reason.message)",
                advice: reader.map { "without --require-newest the run goes on from \($0.directory)" })
        }
        // Starting over would write over what is left of the run.
        if reader == nil, let newest = skipped.first {
            throw Failure(
                .data,
                "none of the \(skipped.count) checkpoints of the run can be used; of the newest: \(newest.reason.message)",
                advice: "`switchyard verify \(configuration.directory)` names what is wrong with each; mend one, or "
                    + "choose another run.directory to start over")
        }
        if reader == nil { try requireNothingLost(of: RunDirectory(configuration.directory), on: world) }
        guard world.rank == 0 else { return reader }
        for other in skipped { log("warning: passing over \(other.directory): \(other.reason.message)") }
        if let surplus = reader?.surplusWarning { log("warning: \(surplus)") }
        return reader
    }

    /// Refuses to begin anew, and to write over the records, where the run once had checkpoints: they were moved or removed.
    /// A run that ended before its first checkpoint begins anew: its folder of checkpoints is there, and empty.
    private static func requireNothingLost(of directory: RunDirectory, on world: any Communicator) throws(Failure) {
        try Agreement(ranks: world).onRankZero { () throws(Failure) in
            let lastStep = try JSONLinesSink.lastStep(of: directory.metrics) ?? 0
            let hadCheckpoints = RunSummary.read(directory.summary)?.hasCheckpoints ?? false
            let hasFolder = CheckpointFolder(directory.checkpoints).exists
            guard hadCheckpoints || (lastStep > 0 && !hasFolder) else { return }
            throw Failure(
                .data,
                "the run in \(directory.path) has records up to step \(lastStep), but its checkpoints are gone from "
                    + "\(directory.checkpoints): it would begin anew and write over the records",
                advice: "move the checkpoints back there; to start over, choose another run.directory, or move "
                    + "run.json and metrics.jsonl away")
        }
    }

    private init(
        _ kind: Kind, _ reader: CheckpointReader, _ configuration: RunConfiguration, _ options: TrainingOptions,
        on world: any Communicator
    ) throws(Failure) {
        self.kind = kind
        self.reader = reader
        let record = reader.record
        let stored = kind == .weights ? nil : try RunConfiguration(stored: record)
        let own = GivenTokenizer(
            try readTokenizer(Array(record.tokenizer.utf8), from: reader.directory), of: reader.directory,
            madeBy: stored?.data.tokenizer)
        tokenizer = own
        if let stored {
            let context = configuration.model.context
            changes = try Resumption.changes(
                from: record, stored, to: configuration, vocabulary: own.tokenizer.vocabularySize,
                allowing: options.allowedChanges)
            let consumed = try Consumed(of: record)
            self.consumed = stored.model.context == context ? consumed : consumed.recounted(context: context)
        } else {
            (changes, consumed) = ([], Consumed())
        }
        try Agreement(ranks: world).onAllRanks { () throws(Failure) in
            if world.rank == 0 { try own.requireAgreement(with: configuration.data) }
        }
    }
}
