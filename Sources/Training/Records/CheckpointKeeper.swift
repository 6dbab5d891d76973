import Checkpoints
package import Collectives
import Corpora
package import Diagnostics
import GEMM
import Layers

/// Saves training state when it is due and finds where to go on.
package final class CheckpointKeeper {
    private let setup: TrainingSetup
    private let writer: CheckpointWriter
    private let folder: CheckpointFolder
    private let faults: FaultPoints
    private let world: any Communicator
    private var lastSaved: Int?
    private var best: BestCheckpoint?
    private var lastSaveTime = ContinuousClock.now

    /// **Collective** over `world`.
    package init(_ setup: TrainingSetup, on world: any Communicator) throws(Failure) {
        self.setup = setup
        self.world = world
        faults = try FaultPoints.fromEnvironment()
        folder = CheckpointFolder(setup.directory.checkpoints)
        writer = try CheckpointWriter(
            directory: setup.directory.checkpoints, ranks: world,
            shards: setup.configuration.checkpoint.shards ?? world.size, faults: faults)
    }

    /// Whether steps or tokens ask for a checkpoint after `step`; the same answer on every rank.
    package func isDue(after step: Int) -> Bool {
        let checkpoint = setup.configuration.checkpoint, batch = setup.configuration.batch.tokens
        let byTokens =
            checkpoint.everyTokens > 0
            && step * batch / checkpoint.everyTokens
                > (step - 1) * batch / checkpoint.everyTokens
        return step == setup.configuration.length.steps || byTokens
            || (checkpoint.everySteps > 0 && step % checkpoint.everySteps == 0)
    }

    /// Whether the time for a checkpoint has come on this rank's clock: the ranks must still agree.
    package var isOverdue: Bool {
        let minutes = setup.configuration.checkpoint.everyMinutes
        return minutes > 0 && (ContinuousClock.now - lastSaveTime) / .seconds(60) >= minutes
    }

    /// **Collective**.
    /// - Parameters:
    ///   - metricsBytes: of rank 0; the others' value does not matter
    ///   - validationLoss: of this very state, if it was measured
    /// - Returns: the checkpoint's directory
    @discardableResult
    package func save(
        _ state: TrainingState, metricsBytes: Int, validationLoss: Double?
    ) throws(Failure) -> String {
        let bytes = try Agreement(ranks: world).gather(Array("\(metricsBytes)".utf8))[0]
        let configuration = setup.configuration
        let candidate = validationLoss.map { BestCheckpoint(step: state.step, loss: $0) }
        let best = BestCheckpoint.better(best, candidate)
        let record = CheckpointRecord(
            run: configuration.runName, step: state.step, tokens: state.step * configuration.batch.tokens,
            seed: Int(configuration.seed), schedulePosition: state.step,
            dataPosition: state.step * configuration.batch.lanes,
            metricsBytes: Int(String(decoding: bytes, as: UTF8.self)) ?? 0, kernels: MatrixLibrary.kernelSet,
            configuration: configuration.resolved, tokenizer: setup.corpus.tokenizer.serialized,
            extras: best?.extras ?? [:])
        let outcome = try writer.write(record, StateStorage.shards(of: state, setup.engine.mesh))
        lastSaved = state.step
        lastSaveTime = ContinuousClock.now
        self.best = best
        return outcome.directory
    }

    /// Removes the checkpoints that need not stay, after a new one is there. **Collective**.
    package func removeOld() throws(Failure) {
        try Agreement(ranks: world).settle { () throws(Failure) in
            guard world.rank == 0 else { return }
            let checkpoint = setup.configuration.checkpoint
            let milestones = checkpoint.keepEvery > 0 ? checkpoint.keepEvery : nil
            let best = checkpoint.keepBest ? best?.step : nil
            try folder.apply(Retention(last: checkpoint.keep, every: milestones, best: best), faults: faults)
        }
    }

    /// Fills `state` from a checkpoint of another run. **Collective**.
    /// - Parameters:
    ///   - weightsOnly: whether training starts anew with these parameters; otherwise it goes on from that step
    ///   - allowed: keys that may differ although they decide what is learnt
    package func load(
        _ state: inout TrainingState, from path: String, weightsOnly: Bool, allowing allowed: Set<String>
    ) throws(Failure) {
        let reader = try CheckpointReader(path, sharedBy: world)
        if !weightsOnly {
            _ = try Resumption.changes(from: reader.record, to: setup.configuration, allowing: allowed)
        } else if reader.record.tokenizer != setup.corpus.tokenizer.serialized {
            throw Failure(
                .configuration, "\(path) was trained with another tokenizer than data.tokenizer gives",
                advice: "give the run the checkpoint's tokenizer: the same tokens must mean the same text")
        }
        try Agreement(ranks: world).settle { () throws(Failure) in
            try StateStorage.load(state, from: reader, moments: !weightsOnly)
            try reader.close()
        }
        state.step = weightsOnly ? 0 : reader.record.step
    }

    /// Whether the state after `step` is already saved.
    package func holds(_ step: Int) -> Bool { lastSaved == step }

    /// Fills `state` from the newest checkpoint that verifies, if there is one. **Collective**.
    /// - Parameters:
    ///   - allowed: keys that may differ although they decide what is learnt
    ///   - requireNewest: whether a damaged newest checkpoint is an error instead of being passed over
    ///   - say: takes what the user should know, on every rank
    /// - Returns: bytes of `metrics.jsonl` that belong to the steps done
    package func resume(
        _ state: inout TrainingState, allowing allowed: Set<String>, requireNewest: Bool, say: (String) -> Void
    ) throws(Failure) -> Int {
        let (reader, passedOver) = try folder.newest(sharedBy: world)
        if requireNewest, let newest = passedOver.first {
            throw Failure(
                .data, "the newest checkpoint cannot be used: \(newest.reason.message)",
                advice: reader.map { "without --require-newest the run goes on from \($0.directory)" })
        }
        for other in passedOver { say("warning: passing over \(other.directory): \(other.reason.message)") }
        guard let reader else { return 0 }
        let changes = try Resumption.changes(from: reader.record, to: setup.configuration, allowing: allowed)
        try Agreement(ranks: world).settle { () throws(Failure) in
            try StateStorage.load(state, from: reader)
            try reader.close()
        }
        state.step = reader.record.step
        lastSaved = state.step
        best = BestCheckpoint(extras: reader.record.extras)
        say("going on from \(reader.directory)" + (changes.isEmpty ? "" : " with " + changes.joined(separator: "; ")))
        if reader.record.kernels != MatrixLibrary.kernelSet {
            say(
                "warning: saved with \(reader.record.kernels), now running \(MatrixLibrary.kernelSet): bits will differ"
            )
        }
        return reader.record.metricsBytes
    }
}

extension RunConfiguration {
    /// The last part of the run directory's path.
    var runName: String { directory.split(separator: "/").last.map(String.init) ?? "run" }
}
