package import Collectives
import Corpora
package import Diagnostics
import GEMM
import Layers
package import Metrics
import Parallel
import Tensors

/// Trains from where the run stands to its end. One on every rank; what it says and writes, rank 0 does.
package final class TrainingRun {
    private let setup: TrainingSetup
    private let world: any Communicator
    private let step: TrainingStep
    private let validation: Validation?
    private let checkpoints: CheckpointKeeper
    private var reporter: StepReporter?
    private let progress: ProgressLine
    private var state: TrainingState
    private let peak = Vector<Double>(count: 1)
    /// Sees every finished step and the state after it, on every rank: for tests.
    private let observe: (StepOutcome, TrainingState) throws -> Void

    private var configuration: RunConfiguration { setup.configuration }

    /// **Collective** over `world`.
    package init(
        _ setup: TrainingSetup, on world: any Communicator, progress: ProgressLine = ProgressLine(),
        observe: @escaping (StepOutcome, TrainingState) throws -> Void = { _, _ in }
    ) throws(Failure) {
        self.setup = setup
        self.world = world
        self.progress = progress
        self.observe = observe
        let configuration = setup.configuration
        let agreement = Agreement(ranks: world)
        let windows = try TrainingWindows(setup.corpus.train, context: configuration.model.context, seed: configuration.seed)
        step = TrainingStep(configuration, setup.engine, windows)
        validation = try setup.corpus.validation.map { dataset throws(Failure) in
            Validation(
                setup.engine, try EvaluationWindows(dataset, context: configuration.model.context),
                laneTokens: configuration.batch.laneTokens, tokens: configuration.length.validationTokens)
        }
        checkpoints = try CheckpointKeeper(setup, on: world)
        state = TrainingState(setup.engine.layout)
        initialize(
            state.parameters, scale: configuration.model.initializationScale, seed: configuration.seed,
            on: setup.engine.workers)
        try agreement.barrier()
    }

    /// - Throws: `diverged` when a loss or gradient stops being a number; the state before that step is saved
    package func run() throws {
        let gemmPeak = try measurePeak()
        try Agreement(ranks: world).settle { () throws(Failure) in
            guard world.rank == 0 else { return }
            try setup.directory.write(configuration.resolved, to: setup.directory.configuration)
            let summary = RunSummary(
                configuration, setup.layout, kernels: MatrixLibrary.kernelSet, gemmPeak: gemmPeak)
            try setup.directory.write(summary.json, to: setup.directory.summary)
            let file = try MetricsFile(setup.directory.metrics, keeping: 0)
            reporter = StepReporter(configuration, gemmPeak: gemmPeak, file: file, progress: progress)
        }
        announce(gemmPeak)
        if state.step == 0, let result = try validation?.run(state.parameters) { say("before training: \(describe(result))") }
        while state.step < configuration.length.steps { try takeStep() }
    }

    private func takeStep() throws {
        let clock = ContinuousClock(), start = clock.now
        let outcome = try step.run(&state)
        let seconds = (clock.now - start) / .seconds(1)
        guard outcome.isSound else { throw try diverged(outcome) }
        let isLast = state.step == configuration.length.steps
        let every = configuration.length.validateEvery
        let isDue = isLast || (every > 0 && state.step % every == 0)
        let result = isDue ? try validation?.run(state.parameters) : nil
        try report(outcome, seconds, result)
        try observe(outcome, state)
        if checkpoints.isDue(after: state.step) {
            let directory = try checkpoints.save(state, metricsBytes: reporter?.metricsBytes ?? 0)
            say("checkpoint \(directory)")
        }
    }

    private func report(_ outcome: StepOutcome, _ seconds: Double, _ validation: ValidationResult?) throws {
        peak[0] = Double(ProcessMemory.peak)
        try world.maximum(peak)
        try Agreement(ranks: world).settle { () throws(Failure) in
            _ = try reporter?.report(
                outcome, step: state.step, seconds: seconds, peakMemory: Int(peak[0]), validation: validation)
        }
        if let validation { say("validation after step \(state.step): \(describe(validation))") }
    }

    /// Saves the last sound state and says what happened.
    private func diverged(_ outcome: StepOutcome) throws -> Failure {
        let failed = state.step + 1
        let directory = try checkpoints.save(state, metricsBytes: reporter?.metricsBytes ?? 0)
        return Failure(
            .diverged,
            "training diverged at step \(failed): the loss is \(outcome.lanes.loss) and the gradient's norm "
                + "\(outcome.gradientNorm); the state after step \(state.step) is kept in \(directory)",
            advice: "lower optimizer.learning_rate, lengthen schedule.warmup_tokens, or lower optimizer.gradient_clip")
    }

    /// Of all ranks together, at the same time, because they share machines.
    private func measurePeak() throws -> Double {
        try world.barrier()
        peak[0] = measureGemmPeak(on: setup.engine.workers)
        try world.sum(peak)
        return peak[0]
    }

    private func announce(_ gemmPeak: Double) {
        let work = ModelWork(configuration.model), layout = setup.layout
        say(
            "\(grouped(work.totalParameters)) parameters, \(grouped(work.activeParameters)) active; "
                + "\(configuration.batch.lanes) lanes a step on \(layout.ranks) rank\(layout.ranks == 1 ? "" : "s"), "
                + "expert_parallel \(layout.expertParallel), \(configuration.parallel.threadsPerRank) thread(s) each; "
                + "GEMM peak \(fixed(gemmPeak / 1e9, 0)) GFLOP/s (\(MatrixLibrary.kernelSet))")
    }

    private func say(_ text: String) {
        if world.rank == 0 { progress.say(text) }
    }

    private func describe(_ result: ValidationResult) -> String {
        "\(fixed(result.loss, 4)) nats per token, \(fixed(result.bitsPerByte, 4)) bits per byte "
            + "(\(grouped(result.tokens)) tokens)"
    }
}
