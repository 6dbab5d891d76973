import Checkpoints
import Collectives
import Configuration
import Data
import Diagnostics
import Inference
import MatrixProducts
import Parallelism
import RunFormat
import Tokenizers

/// Saves training state: knows when it is due, writes it at once or while training goes on, and removes what need not stay.
final class CheckpointManager {
    private let setup: TrainingSetup
    private let writer: CheckpointWriter
    private let folder: CheckpointFolder
    private let faults: FaultPoints
    private let world: any Communicator
    private let versions: [String: String]
    private var data: StoredData
    private let staging: StagingBuffers?
    private let log: (String) -> Void
    private var lastSaved: Int?
    private var best: BestCheckpoint?
    private var milestones: Milestones
    private var lastAttempt = ContinuousClock.now
    private var pending: Pending?

    /// A save that has begun.
    private struct Pending {
        var checkpoint: PendingCheckpoint
        var step: Int
        var best: BestCheckpoint?
    }

    /// **Collective** over `world`.
    /// - Parameters:
    ///   - state: what will be saved; room for a copy is made now if saves overlap with training
    ///   - versions: of the libraries, for the record
    ///   - log: takes what the user should know, on rank 0
    init(
        _ setup: TrainingSetup, _ state: TrainingState, versions: [String: String], on world: any Communicator,
        log: @escaping (String) -> Void
    ) throws(Failure) {
        self.log = log
        self.setup = setup
        self.world = world
        self.versions = versions
        data = StoredData(setup.corpus)
        faults = try FaultPoints.fromEnvironment()
        folder = CheckpointFolder(setup.directory.checkpoints)
        let checkpoint = setup.configuration.checkpoint
        milestones = Milestones(setup.configuration)
        writer = try CheckpointWriter(
            directory: setup.directory.checkpoints, ranks: world, shards: checkpoint.shards ?? world.size,
            faults: faults, owns: { [lock = setup.lock] () throws(Failure) in try lock?.confirmOwnership() })
        staging =
            checkpoint.overlaps(ranks: world.size)
            ? StagingBuffers(for: state.writtenShards) : nil
    }

    /// The run goes on from its own checkpoint of `step`.
    func resumed(at step: Int, _ resumed: StateLoader.Resumed) {
        lastSaved = step
        best = resumed.best
        milestones.resume(extras: resumed.extras)
        data.trainedSince = data.since(resumed.extras, of: step)
    }

    /// The validation of a state that was saved without it.
    func validated(_ step: Int, loss: Double) {
        best = BestCheckpoint.better(best, BestCheckpoint(step: step, loss: loss))
    }

    /// Takes note of a step of `batch`.
    /// - Returns: whether steps or tokens ask for a checkpoint of `state`; the same on every rank
    func advance(to state: TrainingState, after batch: StepBatch) -> Bool {
        let checkpoint = setup.configuration.checkpoint
        let tokens = state.consumed.tokens, before = tokens - batch.tokens
        let byTokens =
            checkpoint.everyTokens > 0 && tokens / checkpoint.everyTokens > before / checkpoint.everyTokens
        let isMilestone = milestones.contains(tokens, after: batch)
        if isMilestone { milestones.add(step: state.step) }
        return byTokens || isMilestone || (checkpoint.everySteps > 0 && state.step % checkpoint.everySteps == 0)
    }

    /// Whether the time for a checkpoint has come on this rank's clock: the ranks must still agree. A save that failed
    /// waits for its turn again.
    var isOverdue: Bool {
        let minutes = setup.configuration.checkpoint.everyMinutes
        return minutes > 0 && (ContinuousClock.now - lastAttempt) / .seconds(60) >= minutes
    }

    /// Whether training goes on while a save is written; otherwise the state must stay as it is until `finish`.
    var overlaps: Bool { staging != nil }

    /// The step whose save has begun and not been finished; the same answer on every rank.
    var pendingStep: Int? { pending?.step }
    var isPending: Bool { pending != nil }

    /// Whether this rank still writes: the ranks must agree before they finish.
    var isWriting: Bool { pending.map { !$0.checkpoint.isReady } ?? false }

    /// Whether the state after `step` is already saved.
    func holds(_ step: Int) -> Bool { lastSaved == step }

    /// Begins to save; `finish` ends it. **Collective**.
    /// - Parameters:
    ///   - position: bytes of `metrics.jsonl` that belong to the state, all on the disk; asked on rank 0
    ///   - validationLoss: of this very state, if it was measured
    ///   - unfinished: the record of the last step, if its validation was broken off; on rank 0
    ///   - overlapping: whether training goes on meanwhile, where there is room for a copy of the state
    func begin(
        _ state: TrainingState, metricsBytes position: () throws(Failure) -> Int, validationLoss: Double?,
        unfinished: String? = nil, overlapping: Bool
    ) throws(Failure) {
        lastAttempt = ContinuousClock.now
        let agreement = Agreement(ranks: world)
        let mine = try agreement.onRankZero { () throws(Failure) in
            try restoreFolder()
            return "\(try position())\n\(unfinished ?? "")"
        }
        let lines = try agreement.broadcast(mine ?? "").split(
            separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        let best = BestCheckpoint.better(best, validationLoss.map { BestCheckpoint(step: state.step, loss: $0) })
        let record = record(
            of: state, metricsBytes: lines.first.flatMap { Int($0) } ?? 0, best: best,
            unfinished: lines.count > 1 && !lines[1].isEmpty ? String(lines[1]) : nil)
        let shards = state.writtenShards
        let copy = overlapping ? staging?.copy(shards) : nil
        pending = Pending(
            checkpoint: try writer.begin(record, copy ?? shards, overlapping: copy != nil), step: state.step,
            best: best)
    }

    /// A job goes on where only its folder of checkpoints was moved: what is in it is whole and nobody writes there any more.
    private func restoreFolder() throws(Failure) {
        try setup.lock?.confirmOwnership()
        guard try folder.restore() else { return }
        log(
            "warning: the folder \(folder.path) was moved or removed while this job used it, and was made anew; earlier "
                + "checkpoints are where it went")
    }

    private func record(
        of state: TrainingState, metricsBytes: Int, best: BestCheckpoint?, unfinished: String?
    ) -> CheckpointRecord {
        let configuration = setup.configuration
        var extras = data.extras.merging(best?.extras ?? [:]) { $1 }.merging(state.stepGuard.extras) { $1 }
            .merging(milestones.extras) { $1 }
        extras[IncompleteRecord.key] = unfinished
        return CheckpointRecord(
            run: configuration.runName, step: state.step, tokens: state.consumed.tokens,
            sequences: state.consumed.sequences, seed: configuration.seed, schedulePosition: state.step,
            dataPosition: state.consumed.sequences / configuration.sequencesPerMicroBatch, metricsBytes: metricsBytes,
            kernels: ProductLibrary.kernelSet(configuration.precision), versions: versions,
            configuration: configuration.yaml,
            tokenizer: setup.corpus.tokenizer.serialized, extras: extras)
    }

    /// Waits until all ranks have written, and publishes. **Collective**, when `isPending`.
    /// - Returns: the checkpoint's directory
    func finish() throws(Failure) -> String {
        guard let pending else { throw Failure(.software, "there is no save to finish") }
        self.pending = nil
        let outcome = try pending.checkpoint.finish()
        lastSaved = pending.step
        best = pending.best
        return outcome.directory
    }

    /// Removes the checkpoints that need not stay, after a new one is there. **Collective**.
    func removeOld() throws(Failure) {
        try Agreement(ranks: world).onRankZero { () throws(Failure) in
            let checkpoint = setup.configuration.checkpoint
            let multiples = checkpoint.keepEvery > 0 ? checkpoint.keepEvery : nil
            let best = checkpoint.keepBest ? best?.step : nil
            try folder.apply(
                Retention(last: checkpoint.keep, every: multiples, best: best, steps: milestones.steps), faults: faults
            ) { () throws(Failure) in try setup.lock?.confirmOwnership() }
        }
    }
}

extension ResolvedConfiguration {
    /// The last part of the run directory's path.
    var runName: String { directory.split(separator: "/").last.map(String.init) ?? "run" }
}
