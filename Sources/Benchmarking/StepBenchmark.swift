package import Collectives
package import Diagnostics
import Layers
import Machine
import Metrics
import Parallel
import Tensors
import Tracing
package import Training
import Workers

/// Whole training steps on random tokens, and what their time consists of.
package struct StepBenchmark: Encodable, Sendable {
    package enum Routing: String, Codable, CaseIterable, Sendable {
        /// Every expert gets its equal share of every lane.
        case uniform
        /// What the router of a fresh model decides.
        case real
    }

    package struct Options: Sendable {
        package var routing = Routing.real
        package var steps = 10
        package var warmUp = 2

        package init() {}
    }

    package struct Part: Encodable, Sendable {
        package var name: String
        /// Mean over ranks.
        package var seconds: Sample
        package var share: Double
    }

    package var ranks: Int
    package var threadsPerRank: Int
    package var expertParallel: Int
    package var precision: String
    package var routing: Routing
    package var tokensPerStep: Int
    /// Medians over the steps.
    package var tokensPerSecond: Double
    package var mfu: Double
    package var stepSeconds: Sample
    /// Of all ranks together, just before, FLOP/s.
    package var gemmPeakFlops: Double
    /// Assignments that found no seat.
    package var droppedShare: Double
    /// Assignments to the busiest expert over the mean, of the worst layer.
    package var loadImbalance: Double
    package var peakMemoryBytes: Int
    package var breakdown: [Part]
}

extension StepBenchmark {
    /// **Collective** over `world`.
    package init(
        _ given: RunConfiguration, _ options: Options, on world: any Communicator
    ) throws(Failure) {
        try agreeOnJob(given, on: world)
        var configuration = given
        configuration.routing.spreadsEvenly = options.routing == .uniform
        let layout = try JobLayout(configuration, ranks: world.size)
        try configuration.settleVocabularyWithoutData()
        try requireMemory(MemoryEstimate(configuration, layout), on: world)
        let tracer = Tracer()
        let engine = try Engine(
            configuration, expertParallel: layout.expertParallel, threads: configuration.parallel.threadsPerRank,
            forTraining: true, on: world, tracer: tracer)
        let timed: TimedSteps
        do {
            timed = try TimedSteps(configuration, engine, tracer, options, on: world)
        } catch {
            throw Failure(lost: error)
        }
        self.init(configuration, layout, options, timed)
    }

    private init(
        _ configuration: RunConfiguration, _ layout: JobLayout, _ options: Options, _ timed: TimedSteps
    ) {
        ranks = layout.ranks
        threadsPerRank = configuration.parallel.threadsPerRank
        expertParallel = layout.expertParallel
        precision = configuration.precision.rawValue
        routing = options.routing
        tokensPerStep = configuration.batch.tokens
        stepSeconds = Sample(timed.seconds)
        tokensPerSecond = Double(configuration.batch.tokens) / stepSeconds.median
        droppedShare = timed.dropped
        loadImbalance = timed.imbalance
        gemmPeakFlops = timed.gemmPeak
        peakMemoryBytes = timed.peakMemory
        let work = ModelWork(configuration.model).flopsPerToken(droppedShare: droppedShare)
        mfu = tokensPerSecond * work / gemmPeakFlops
        let median = stepSeconds.median
        breakdown = Breakdown.Part.allCases.enumerated().map { index, part in
            let seconds = Sample(timed.parts.map { $0[index] })
            return Part(name: part.rawValue, seconds: seconds, share: seconds.median / median)
        }
    }

    package var text: String {
        var table = TextTable(["part of a step", "s", "spread", "share"])
        for part in breakdown {
            table.add([part.name, fixed(part.seconds.median, 4), percent(part.seconds.spread), percent(part.share)])
        }
        return table.text + """

            step \(fixed(stepSeconds.median, 3)) s (\(fixed(stepSeconds.lowest, 3)) to \(fixed(stepSeconds.highest, 3)), \
            \(stepSeconds.count) steps): \(grouped(Int(tokensPerSecond))) tokens/s, MFU \(fixed(100 * mfu, 1)) % of \
            \(gigaflops(gemmPeakFlops)); \(ranks) rank\(ranks == 1 ? "" : "s") of \(threadsPerRank) \
            thread\(threadsPerRank == 1 ? "" : "s"), expert_parallel \(expertParallel), \(precision), \(routing.rawValue) \
            routing (dropped \(fixed(100 * droppedShare, 1)) %, busiest expert \(fixed(loadImbalance, 2)) times the mean), \
            peak memory \(fixed(Double(peakMemoryBytes) / 1e6, 0)) MB a rank
            """
    }
}

/// Steps taken and timed on one rank.
private struct TimedSteps {
    var seconds: [Double] = []
    /// Per step: seconds of each part, mean over ranks.
    var parts: [[Double]] = []
    var dropped = 0.0
    var imbalance = 0.0
    let gemmPeak: Double
    let peakMemory: Int

    init(
        _ configuration: RunConfiguration, _ engine: Engine, _ tracer: Tracer, _ options: StepBenchmark.Options,
        on world: any Communicator
    ) throws(CommunicationError) {
        let source = RandomTokens(vocabulary: configuration.model.vocabularySize, seed: configuration.seed)
        let step = TrainingStep(configuration, engine, source)
        var state = TrainingState(for: engine)
        initialize(
            state.parameters, scale: configuration.model.initializationScale, seed: configuration.seed,
            on: engine.workers)
        try world.barrier()
        gemmPeak = try world.sum(of: measureGemmPeak(engine.precision, on: engine.workers))
        tracer.isRecording = true
        let clock = ContinuousClock()
        for number in 0..<options.warmUp + options.steps {
            try world.barrier()
            let start = clock.now
            let outcome = try step.run(&state)
            let slowest = try world.maximum(of: (clock.now - start) / .seconds(1))
            let shares = Vector(Breakdown(tracer.take()).seconds)
            try world.sum(shares)
            guard number >= options.warmUp else { continue }
            seconds.append(slowest)
            parts.append(shares.array.map { $0 / Double(world.size) })
            let lanes = outcome.lanes
            dropped += lanes.dropped.reduce(0, +) / Double(lanes.dropped.count * options.steps)
            imbalance = max(imbalance, lanes.imbalance.max() ?? 0)
        }
        peakMemory = Int(try world.maximum(of: Double(ProcessMemory.peak)))
    }
}
