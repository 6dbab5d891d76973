package import Collectives
package import Configuration
import Data
package import Diagnostics
import Kernels
import Model
import Parallelism
import Platform
import RunFormat
import Tensors
import Threading
import Training

/// Whole training steps on random tokens, and what their time consists of.
package struct StepBenchmark: Encodable, Sendable {
    package enum Routing: String, Codable, CaseIterable, Sendable {
        /// Every expert gets its equal share of every micro-batch.
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
        package var fraction: Double
    }

    package var ranks: Int
    package var threadsPerRank: Int
    package var expertParallel: Int
    package var microBatchesInFlight: Int
    package var precision: String
    package var routing: Routing
    package var tokensPerStep: Int
    /// Medians over the steps.
    package var tokensPerSecond: Double
    package var mfu: Double
    /// Model FLOP/s of a thread: what `plan --rate` takes.
    package var flopsPerCore: Double
    package var stepSeconds: Sample
    /// Of all ranks together, just before or just after, whichever is higher, FLOP/s.
    package var gemmPeakFlops: Double
    /// Assignments that found no slot.
    package var droppedRatio: Double
    /// Assignments to the busiest expert over the mean, of the worst layer.
    package var loadImbalance: Double
    /// Rows of the busiest rank's experts over the mean, `rankImbalance`, mean over the steps.
    package var rankImbalance: Double
    package var peakMemoryBytes: Int
    package var breakdown: [Part]
    /// Waiting and exchanging of one micro-batch in flight while the other computed, mean over ranks: not a part of the step.
    package var hiddenSeconds: Sample
}

extension StepBenchmark {
    /// **Collective** over `world`.
    package init(
        _ given: RunConfiguration, _ options: Options, on world: any Communicator
    ) throws(Failure) {
        try requireSameJob(given, on: world)
        var configuration = try given.resolvedWithoutTokenizer()
        // What most of a run consists of.
        configuration.batch.ramp = []
        let layout = try JobLayout(configuration, ranks: world.size)
        configuration.routing.isRoundRobin = options.routing == .uniform
        try requireMemory(MemoryEstimate(configuration, layout), on: world)
        let tracer = Tracer()
        let engine = try Engine(
            configuration, expertParallelSize: layout.expertParallelSize,
            threads: configuration.parallel.threadsPerRank,
            microBatchesInFlight: layout.microBatchesInFlight, forTraining: true, on: world, tracer: tracer)
        let timed: TimedSteps
        do {
            timed = try TimedSteps(configuration, engine, tracer, options, on: world)
        } catch {
            throw Failure(communication: error)
        }
        self.init(configuration, layout, options, timed)
    }

    private init(
        _ configuration: ResolvedConfiguration, _ layout: JobLayout, _ options: Options, _ timed: TimedSteps
    ) {
        ranks = layout.ranks
        threadsPerRank = configuration.parallel.threadsPerRank
        expertParallel = layout.expertParallelSize
        microBatchesInFlight = layout.microBatchesInFlight
        precision = configuration.precision.rawValue
        routing = options.routing
        tokensPerStep = configuration.batch.tokens
        stepSeconds = Sample(timed.seconds)
        tokensPerSecond = Double(configuration.batch.tokens) / stepSeconds.median
        droppedRatio = timed.dropped
        loadImbalance = timed.imbalance
        rankImbalance = timed.rankImbalance
        gemmPeakFlops = timed.gemmPeak
        peakMemoryBytes = timed.peakMemory
        let work = ModelCost(configuration.model).flopsPerToken(
            droppedRatio: droppedRatio, visible: timed.visible)
        let rate = tokensPerSecond * work
        (mfu, flopsPerCore) = (rate / gemmPeakFlops, rate / Double(ranks * threadsPerRank))
        hiddenSeconds = Sample(timed.hidden)
        let median = stepSeconds.median
        breakdown = Breakdown.Part.allCases.enumerated().map { index, part in
            let seconds = Sample(timed.parts.map { $0[index] })
            return Part(name: part.rawValue, seconds: seconds, fraction: seconds.median / median)
        }
    }

    package var text: String {
        var table = TextTable(["part of a step", "s", "spread", "share"])
        for part in breakdown {
            table.add([
                part.name, decimals(part.seconds.median, 4), percent(part.seconds.spread), percent(part.fraction),
            ])
        }
        return table.text + """

            step \(decimals(stepSeconds.median, 3)) s (\(decimals(stepSeconds.lowest, 3)) to \(decimals(stepSeconds.highest, 3)), \
            \(stepSeconds.count) steps): \(grouped(tokensPerSecond)) tokens/s, MFU \(decimals(100 * mfu, 1)) % of \
            \(gigaflops(gemmPeakFlops)), \(decimals(flopsPerCore / 1e9, 1)) GFLOP/s a core; \(ranks) rank\(ranks == 1 ? "" : "s") of \(threadsPerRank) \
            thread\(threadsPerRank == 1 ? "" : "s"), expert_parallel \(expertParallel), \(microBatchesInFlight) \
            micro-batch\(microBatchesInFlight == 1 ? "" : "es") in flight, \(precision), \(routing.rawValue) \
            routing (dropped \(decimals(100 * droppedRatio, 1)) %, busiest expert \(decimals(loadImbalance, 2)) times the \
            mean, busiest rank \(decimals(rankImbalance, 2)) times), \
            peak memory \(decimals(Double(peakMemoryBytes) / 1e6, 0)) MB a rank; \
            \(decimals(hiddenSeconds.median, 4)) s of communication hidden
            """
    }
}

/// Steps taken and timed on one rank.
private struct TimedSteps {
    var seconds: [Double] = []
    /// Per step: seconds of each part, mean over ranks.
    var parts: [[Double]] = []
    var hidden: [Double] = []
    var dropped = 0.0
    /// Tokens that one sees on average.
    var visible = 0.0
    var imbalance = 0.0
    var rankImbalance = 0.0
    private(set) var gemmPeak: Double
    let peakMemory: Int

    init(
        _ configuration: ResolvedConfiguration, _ engine: Engine, _ tracer: Tracer, _ options: StepBenchmark.Options,
        on world: any Communicator
    ) throws(CommunicationError) {
        let source = RandomTokens(vocabulary: configuration.model.vocabularySize, seed: configuration.seed)
        let step = TrainingStep(configuration, engine, source)
        var state = TrainingState(for: engine)
        state.initialize(by: Initialization(configuration), on: engine.workers)
        try world.barrier()
        gemmPeak = try world.sum(of: measureGemmPeak(engine.precision, on: engine.workers))
        tracer.isRecording = true
        let clock = ContinuousClock()
        for number in 0..<options.warmUp + options.steps {
            for microBatch in engine.runners { microBatch.dispatcher.receivedRowCounts = [] }
            try world.barrier()
            let start = clock.now
            let outcome = try step.run(&state)
            let slowest = try world.maximum(of: (clock.now - start) / .seconds(1))
            let tracks = engine.runners.compactMap { $0.workers.tracer?.drain() }
            let shares = Vector(Breakdown(tracks, outcome.times).seconds)
            try world.allReduceSum(shares)
            let hiddenOfAll = try world.sum(of: outcome.times.hidden)
            guard number >= options.warmUp else { continue }
            seconds.append(slowest)
            parts.append(shares.array.map { $0 / Double(world.size) })
            hidden.append(hiddenOfAll / Double(world.size))
            let microBatches = outcome.microBatches
            dropped += microBatches.dropped.reduce(0, +) / Double(configuration.model.routedLayers * options.steps)
            visible += microBatches.visibleTokens / Double(options.steps)
            imbalance = max(imbalance, microBatches.imbalance.max() ?? 0)
            let rows = try Self.receivedRowCounts(
                engine.runners.flatMap { $0.dispatcher.receivedRowCounts ?? [] }, on: world)
            rankImbalance +=
                Benchmarking.rankImbalance(rows, expertParallelSize: engine.dispatcher.expertParallelSize)
                / Double(options.steps)
        }
        peakMemory = Int(try world.maximum(of: Double(ProcessMemory.peak)))
        gemmPeak = max(gemmPeak, try world.sum(of: measureGemmPeak(engine.precision, on: engine.workers)))
    }

    /// Every rank's list, all of one length. **Collective**.
    private static func receivedRowCounts(_ mine: [Int], on world: any Communicator) throws(CommunicationError)
        -> [[Int]]
    {
        let table = Vector<Double>(count: mine.count * world.size)
        for (i, rows) in mine.enumerated() { table[world.rank * mine.count + i] = Double(rows) }
        try world.allReduceSum(table)
        return (0..<world.size).map { table[$0 * mine.count..<($0 + 1) * mine.count].array.map { Int($0) } }
    }
}
