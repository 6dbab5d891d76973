import Checkpoints
package import Collectives
import Corpora
package import Diagnostics
import GEMM
import Layers
package import Metrics
import Parallel

/// Trains from where the run stands to its end. One on every rank; what it says and writes, rank 0 does.
package final class TrainingRun {
    private let setup: TrainingSetup
    private let world: any Communicator
    private let step: TrainingStep
    private let validation: Validation?
    private let checkpoints: CheckpointKeeper
    private let requests: RunRequests
    private let progress: ProgressLine
    private let options: TrainingOptions
    private var reporter: StepReporter?
    private var state: TrainingState

    private var configuration: RunConfiguration { setup.configuration }

    /// **Collective** over `world`.
    package init(
        _ setup: TrainingSetup, on world: any Communicator, progress: ProgressLine, options: TrainingOptions
    ) throws(Failure) {
        self.setup = setup
        self.world = world
        self.progress = progress
        self.options = options
        let configuration = setup.configuration, context = configuration.model.context
        let windows = try TrainingWindows(setup.corpus.train, context: context, seed: configuration.seed)
        step = TrainingStep(configuration, setup.engine, windows)
        validation = try setup.corpus.validation.map { dataset throws(Failure) in
            Validation(
                setup.engine, try EvaluationWindows(dataset, context: context),
                laneTokens: configuration.batch.laneTokens, tokens: configuration.length.validationTokens)
        }
        checkpoints = try CheckpointKeeper(setup, on: world)
        requests = RunRequests(world)
        state = TrainingState(setup.engine.layout)
    }

    /// - Throws: `diverged` when a loss or gradient stops being a number, `tryAgain` when asked to leave; the state is
    ///   saved in both cases
    package func run() throws {
        do {
            try runToEnd()
        } catch let failure as Failure where failure.status == .tryAgain || failure.status == .diverged {
            setup.lock?.release()
            throw failure
        }
        setup.lock?.release()
    }

    private func runToEnd() throws {
        let keptBytes = try checkpoints.resume(
            &state, allowing: options.allowedChanges, requireNewest: options.requireNewest
        ) { say($0) }
        if state.step == 0 { try begin() }
        guard state.step < configuration.length.steps else {
            say("nothing to do: the run has done \(state.step) of \(configuration.length.steps) steps")
            return
        }
        try openRecords(keeping: keptBytes)
        if state.step == 0, let result = try validation?.run(state.parameters) { say("before training: \(result)") }
        while state.step < configuration.length.steps { try takeStep() }
    }

    /// The state that a new run starts with.
    private func begin() throws(Failure) {
        switch options.start {
        case .random:
            initialize(
                state.parameters, scale: configuration.model.initializationScale, seed: configuration.seed,
                on: setup.engine.workers)
        case .weights(let path):
            try checkpoints.load(&state, from: path, weightsOnly: true, allowing: options.allowedChanges)
            say("starting with the parameters of \(path)")
        case .branch(let path):
            try checkpoints.load(&state, from: path, weightsOnly: false, allowing: options.allowedChanges)
            say("branching off \(path) after step \(state.step)")
        }
    }

    private func openRecords(keeping bytes: Int) throws {
        let gemmPeak = try measurePeakOfAll()
        try Agreement(ranks: world).settle { () throws(Failure) in
            guard world.rank == 0 else { return }
            let directory = setup.directory
            try directory.write(configuration.resolved, to: directory.configuration)
            let summary = RunSummary(
                configuration, setup.layout, kernels: MatrixLibrary.kernelSet, gemmPeak: gemmPeak)
            try directory.write(summary.json, to: directory.summary)
            let file = try MetricsFile(directory.metrics, keeping: bytes)
            reporter = StepReporter(configuration, gemmPeak: gemmPeak, file: file, progress: progress)
            say(summary.sentence(lanes: configuration.batch.lanes))
        }
    }

    /// Of all ranks together, at the same time, because they share machines.
    private func measurePeakOfAll() throws -> Double {
        try world.barrier()
        return try world.sum(of: measureGemmPeak(on: setup.engine.workers))
    }

    private func takeStep() throws {
        let clock = ContinuousClock(), start = clock.now
        options.trace?.begin(state.step + 1)
        let outcome = try step.run(&state)
        let seconds = (clock.now - start) / .seconds(1)
        try options.trace?.end()
        guard outcome.isSound else { throw try diverged(outcome) }
        let isLast = state.step == configuration.length.steps
        let every = configuration.length.validateEvery
        let isDue = isLast || (every > 0 && state.step % every == 0)
        let result = isDue ? try validation?.run(state.parameters) : nil
        let request = try requests.agree(isOverdue: checkpoints.isOverdue)
        try report(outcome, seconds, request.peakMemory, result)
        try options.observe(outcome, state)
        if checkpoints.isDue(after: state.step) || request.wantsSave {
            try save(validationLoss: result?.loss, mustSucceed: isLast || request.wantsLeave)
        }
        if request.wantsLeave, !isLast {
            throw Failure(
                .tryAgain, "asked to leave after step \(state.step): the state is saved",
                advice: "start the same command again to go on")
        }
    }

    private func report(
        _ outcome: StepOutcome, _ seconds: Double, _ peakMemory: Int, _ validation: ValidationResult?
    ) throws(Failure) {
        try Agreement(ranks: world).settle { () throws(Failure) in
            try reporter?.report(
                outcome, step: state.step, seconds: seconds, peakMemory: peakMemory, validation: validation)
            try setup.lock?.beat()
        }
        if let validation { say("validation after step \(state.step): \(validation)") }
    }

    /// A save that fails costs a warning, not the run, unless nothing would be left of it.
    private func save(validationLoss: Double?, mustSucceed: Bool) throws(Failure) {
        do {
            let directory = try checkpoints.save(
                state, metricsBytes: reporter?.metricsBytes ?? 0, validationLoss: validationLoss)
            say("checkpoint \(directory)")
        } catch {
            if mustSucceed || error.status == .protocolError { throw error }
            say("warning: no checkpoint after step \(state.step), training goes on: \(error)")
            return
        }
        do {
            try checkpoints.removeOld()
        } catch {
            if error.status == .protocolError { throw error }
            say("warning: an old checkpoint could not be removed: \(error)")
        }
    }

    /// Saves the last sound state and says what happened.
    private func diverged(_ outcome: StepOutcome) throws(Failure) -> Failure {
        if !checkpoints.holds(state.step) { try save(validationLoss: nil, mustSucceed: true) }
        return Failure(
            .diverged,
            "training diverged at step \(state.step + 1): the loss is \(outcome.lanes.loss) and the gradient's norm "
                + "\(outcome.gradientNorm); the state after step \(state.step) is kept in \(setup.directory.checkpoints)",
            advice: "lower optimizer.learning_rate, lengthen schedule.warmup_tokens, or lower optimizer.gradient_clip")
    }

    private func say(_ text: String) {
        if world.rank == 0 { progress.say(text) }
    }
}

/// What of a run is not configuration.
package struct TrainingOptions {
    /// What a run without checkpoints of its own begins with.
    package enum Start: Sendable {
        case random
        /// The parameters of a checkpoint, nothing else.
        case weights(String)
        /// The whole state of a checkpoint of another run.
        case branch(String)
    }

    package var start = Start.random
    /// Keys that may differ from those of the checkpoint that training goes on from.
    package var allowedChanges: Set<String> = []
    /// Whether a damaged newest checkpoint ends the job instead of being passed over.
    package var requireNewest = false
    /// Records what some steps are made of; its tracer is that of the setup.
    package var trace: StepTrace?
    /// Sees every finished step and the state after it, on every rank: for tests.
    package var observe: (StepOutcome, TrainingState) throws -> Void = { _, _ in }

    package init() {}
}
