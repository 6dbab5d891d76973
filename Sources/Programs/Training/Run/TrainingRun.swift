import Checkpoints
package import Collectives
import Configuration
import Data
package import Diagnostics
import Inference
import MatrixProducts
import Model
import Parallelism
import Platform
package import RunFormat
import Tensors

/// Trains from where the run stands to its end. One on every rank; what it says and writes, rank 0 does.
package final class TrainingRun {
    private let setup: TrainingSetup
    private let world: any Communicator
    private let step: TrainingStep
    private let validation: RunValidation?
    private let manager: CheckpointManager
    private let saves: CheckpointPolicy
    private let requests: RunControl
    private let progress: ProgressDisplay
    private let options: TrainingOptions
    private let summary: WrittenSummary
    private let gemmPeak: MeasuredPeak
    private var reporter: RecordWriter?
    private var state: TrainingState
    private var end: RunEnd

    private var configuration: ResolvedConfiguration { setup.configuration }

    /// **Collective** over `world`.
    package init(
        _ setup: TrainingSetup, on world: any Communicator, progress: ProgressDisplay
    ) throws(Failure) {
        self.setup = setup
        self.world = world
        self.progress = progress
        options = setup.options
        let configuration = setup.configuration
        let windows = try CorpusWindows(setup.corpus, configuration, after: setup.origin)
        step = TrainingStep(configuration, setup.engine, windows.training)
        validation = windows.validation.map { windows in
            RunValidation(
                Validation(
                    setup.engine, windows, microBatchTokens: configuration.batch.microBatchTokens,
                    tokens: configuration.length.validationTokens, masksDocuments: configuration.data.documentMask),
                on: setup.engine)
        }
        state = TrainingState(for: setup.engine)
        end = configuration.end(after: state.step, state.consumed)
        let log = { (text: String) in if world.rank == 0 { progress.log(text) } }
        manager = try CheckpointManager(setup, state, versions: options.versions, on: world, log: log)
        requests = RunControl(world, abort: options.abort)
        gemmPeak = MeasuredPeak(setup.engine, rounds: options.peakRounds, on: world)
        let summary = WrittenSummary(in: setup.directory)
        self.summary = summary
        saves = CheckpointPolicy(manager, requests, log: log) { summary.noteCheckpoint() }
    }

    /// - Throws: `diverged` when a loss or gradient stops being a number, `temporaryFailure` when asked to leave; the state is
    ///   saved in both cases
    package func run() throws {
        do {
            try runToEnd()
        } catch let failure as Failure where failure.status == .temporaryFailure || failure.status == .diverged {
            try setup.close(on: world)
            throw failure
        }
        try setup.close(on: world)
    }

    private func runToEnd() throws {
        let resumed = try begin()
        if let resumed { manager.resumed(at: state.step, resumed) }
        end = configuration.end(after: state.step, state.consumed)
        guard state.step < end.steps || resumed?.unfinished != nil else {
            log("nothing to do: the run has done \(state.step) of \(end.steps) steps")
            return
        }
        try openRecords(keeping: resumed)
        try validateBeforeTraining(resumed?.unfinished)
        while state.step < end.steps { try takeStep() }
    }

    /// The state that the job starts with.
    /// - Returns: nil if it is not the run's own
    private func begin() throws(Failure) -> StateLoader.Resumed? {
        if let origin = setup.origin {
            return try StateLoader(setup: setup, world: world) { [self] in log($0) }.load(&state, from: origin)
        }
        state.initialize(by: Initialization(configuration), on: setup.engine.workers)
        return nil
    }

    /// - Parameter resumed: what the run goes on from; the records of later steps are cut off
    private func openRecords(keeping resumed: StateLoader.Resumed?) throws {
        try gemmPeak.measure()
        try Agreement(ranks: world).onRankZero { () throws(Failure) in
            let directory = setup.directory
            try directory.write(configuration.yaml, to: directory.configuration)
            var facts = RunSummary(
                configuration, setup.layout, kernels: ProductLibrary.kernelSet(configuration.precision),
                gemmPeak: gemmPeak.flops)
            facts.hasCheckpoints = resumed != nil
            try summary.write(facts)
            // The step whose validation was broken off gets its record now.
            let last = resumed?.unfinished == nil ? state.step : state.step - 1
            let writer = try RecordWriter(
                configuration, end, in: directory, resumingAfter: last, progress: progress)
            if let resumed, writer.metricsBytes != resumed.metricsBytes {
                log(
                    "warning: \(directory.metrics) is not what the checkpoint remembers: the records of the steps up to "
                        + "\(last) end at byte \(writer.metricsBytes), not \(resumed.metricsBytes); none is cut")
            }
            reporter = writer
            if let rate = configuration.learningRateInWords { log("learning rate \(rate)") }
            log(facts.sentence(microBatches: configuration.batch.largestStep.microBatches))
        }
    }

    /// The validation that precedes the first step, or the one that an earlier job had to break off.
    private func validateBeforeTraining(_ unfinished: IncompleteRecord?) throws {
        guard try !requests.shouldStop() else { throw Failure.stopped("before the first step") }
        guard state.step == 0 || unfinished != nil else { return }
        let result = try validation?.run(state, unless: requests)
        guard validation == nil || result != nil else { throw Failure.stopped("during a validation") }
        guard var record = unfinished?.record else {
            if let result { log("before training: \(result.description)") }
            return
        }
        record.enter(result)
        reporter?.report(record)
        guard let result else { return }
        manager.validated(state.step, loss: result.parameters.loss)
        log("validation after step \(state.step): \(result.description)")
    }

    private func takeStep() throws {
        let clock = ContinuousClock(), start = clock.now
        options.trace?.begin(state.step + 1)
        let outcome = try step.run(&state)
        let seconds = (clock.now - start) / .seconds(1)
        try writeTrace()
        if case .diverged(let cause) = outcome.verdict { throw try diverged(cause) }
        if case .skipped(let cause) = outcome.verdict {
            log("warning: step \(state.step) is skipped, nothing was learned from its data: \(cause)")
        }
        let isLast = state.step == end.steps
        let validation = try validateIfDue(isLast: isLast)
        var record = reporter?.record(
            outcome, after: state, seconds: seconds, gemmPeak: gemmPeak.flops, validation: validation.result)
        let request = try requests.agree(
            isOverdue: manager.isOverdue, isWriting: manager.isWriting,
            doubtsPeak: record.map { gemmPeak.isDoubted(by: $0.mfu) } ?? false)
        if request.shouldMeasurePeak {
            try gemmPeak.measureAgain()
            record?.enter(gemmPeak: gemmPeak.flops)
        }
        record?.checkpointStallSeconds = saves.drainStallSeconds()
        record?.peakMemoryBytes = request.peakMemory
        if !validation.isBrokenOff { try report(record, validation.result) }
        try options.observe(outcome, state)
        if request.allWritesFinished { try saves.finish() }
        let position = position(validation.result, unfinished: validation.isBrokenOff ? record : nil)
        let isDue = manager.advance(to: state, after: outcome.batch)
        if isLast || request.shouldStop {
            try saves.saveNow(state, position)
        } else if isDue || request.shouldSave {
            try saves.save(state, position)
        }
        if request.shouldStop, !isLast || validation.isBrokenOff {
            throw Failure(
                .temporaryFailure, "asked to leave after step \(state.step): the state is saved",
                advice: "start the same command again to go on")
        }
    }

    private func validateIfDue(isLast: Bool) throws -> (result: RunValidation.Result?, isBrokenOff: Bool) {
        let every = configuration.length.validateEvery
        guard let validation, isLast || (every > 0 && state.step % every == 0) else { return (nil, false) }
        let result = try validation.run(state, unless: requests)
        // Training stands still anyway, and what else runs on the machine may have changed.
        try gemmPeak.measure()
        return (result, result == nil)
    }

    /// A trace that cannot be written costs a warning, not the run.
    private func writeTrace() throws(Failure) {
        do {
            try options.trace?.end()
        } catch {
            if error.status == .communication { throw error }
            log("warning: \(error)")
        }
    }

    private func report(_ record: StepRecord?, _ validation: RunValidation.Result?) throws(Failure) {
        if let record { reporter?.report(record) }
        try Agreement(ranks: world).onAllRanks { () throws(Failure) in try setup.lock?.requireOwnership() }
        if let validation { log("validation after step \(state.step): \(validation.description)") }
    }

    private func position(_ validation: RunValidation.Result?, unfinished: StepRecord? = nil)
        -> CheckpointPolicy.Position
    {
        CheckpointPolicy.Position(
            metricsBytes: { [reporter] () throws(Failure) in try reporter?.flushed() ?? 0 },
            validationLoss: validation?.parameters.loss, unfinished: unfinished.map(IncompleteRecord.init))
    }

    /// Saves the last sound state and says what happened.
    private func diverged(_ cause: String) throws(Failure) -> Failure {
        try saves.saveNow(state, position(nil))
        let skipped = state.stepGuard.inARow
        let before = skipped > 0 ? ", after \(skipped) skipped step\(skipped == 1 ? "" : "s")" : ""
        return Failure(
            .diverged,
            "training diverged at step \(state.step + 1)\(before): \(cause); the state after step \(state.step) is kept in "
                + setup.directory.checkpoints
                + (skipped > 0 ? ", with the parameters of step \(state.step - skipped)" : ""),
            advice: "lower optimizer.learning_rate, lengthen schedule.warmup_tokens, or lower optimizer.gradient_clip")
    }

    private func log(_ text: String) {
        if world.rank == 0 { progress.log(text) }
    }
}
