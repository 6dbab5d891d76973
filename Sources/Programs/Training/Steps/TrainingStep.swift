package import Collectives
package import Configuration
package import Data
import Diagnostics
package import Model
import Optimization
package import Parallelism
import Tensors
import Threading

/// What one optimizer step did.
package struct StepOutcome: Sendable {
    package var batch: StepBatch
    package var microBatches: BatchSummary
    package var gradientNorm: Double
    package var learningRate: Double
    package var gradientDigest: UInt64
    package var parameterDigest: UInt64
    /// Sequences of each source up to and including this step.
    package var sequencesBySource: [Int] = []
    package var times: CommunicationTimes
    /// Whether parameters were updated, and why not.
    package var verdict: StepGuard.Verdict

    /// Whether the run must end: not even its counts moved on.
    package var isDivergence: Bool { if case .diverged = verdict { true } else { false } }
}

/// Computes optimizer steps: micro-batches forward and backward, sums over ranks, one update.
package final class TrainingStep {
    private let engine: Engine
    private let configuration: ResolvedConfiguration
    private let peakLearningRate: Double
    private let source: any SequenceSource
    /// Of the last step, summed over ranks.
    package let gradients: GradientAccumulator
    private let chunks: ChunkPlan
    private let sums: NormAndDigest
    private let ledger: MicroBatchTable
    private let loads: ExpertLoadTable?
    /// Tokens, for each micro-batch in flight.
    private let microBatches: [MicroBatch]
    private let flags = Vector<Int32>(count: 1)
    private let view: GradientView
    private let update: ParameterUpdate

    package init(_ configuration: ResolvedConfiguration, _ engine: Engine, _ source: any SequenceSource) {
        self.engine = engine
        self.configuration = configuration
        peakLearningRate = configuration.peakLearningRate
        self.source = source
        let largest = configuration.batch.largestStep
        gradients = GradientAccumulator(
            engine.layout, isExact: configuration.reproducible, microBatches: largest.microBatches)
        chunks = ChunkPlan(engine.layout, owning: engine.ownedRanges)
        sums = NormAndDigest(engine.layout, chunks, engine.mesh)
        ledger = MicroBatchTable(
            microBatches: largest.microBatches, layers: configuration.model.layers, sources: source.sourceCount)
        loads = ExpertLoadTable(configuration.model, configuration.metrics)
        microBatches = engine.runners.map { _ in
            MicroBatch(
                sequences: configuration.sequencesPerMicroBatch, sequenceLength: configuration.model.context,
                masksDocuments: configuration.data.documentMask)
        }
        view = GradientView(gradients, threads: engine.workers.count)
        update = ParameterUpdate(configuration, engine, chunks, sums, gradients: view)
    }

    /// Step `state.step + 1`. **Collective** over the world.
    package func run(_ state: inout TrainingState) throws(CommunicationError) -> StepOutcome {
        let tracer = engine.workers.tracer
        tracer?.begin(.step, state.step + 1)
        defer { tracer?.end() }
        for thread in engine.runners { thread.dispatcher.clock.reset() }
        let batch = configuration.batch.step(after: state.consumed.tokens)
        try computeGradients(state, batch)
        var microBatches = ledger.summary(
            of: batch.microBatches, expertsPerToken: configuration.model.expertsPerToken)
        if recordsLoads(after: state) { microBatches.expertLoad = loads?.byLayer }
        let view = view
        tracer?.begin(.normAndDigest)
        let (norm, digest) = try sums.normAndDigest(on: engine.workers) { chunk, worker in
            view.values(chunk.range, worker: worker)
        }
        let isOutOfRange = try isOutOfRange()
        tracer?.end()
        var outcome = StepOutcome(
            batch: batch, microBatches: microBatches, gradientNorm: norm,
            learningRate: learningRate(after: state, batch),
            gradientDigest: digest &+ microBatches.lossDigest,
            parameterDigest: 0, times: CommunicationTimes(),
            verdict: state.stepGuard.judge(
                norm: norm, flaw: Self.flaw(microBatches.loss, norm, isOutOfRange: isOutOfRange),
                configuration.optimizer.skipping))
        if !outcome.isDivergence {
            state.step += 1
            state.consumed.add(batch, context: configuration.model.context)
        }
        outcome.sequencesBySource = source.counts(ofFirst: state.consumed.sequences)
        outcome.parameterDigest =
            try outcome.verdict == .applied ? update.run(state, outcome) : self.digest(of: state.parameters)
        outcome.times = engine.runners.map(\.dispatcher.clock.times).reduce(CommunicationTimes(), +)
        return outcome
    }

    private func computeGradients(_ state: TrainingState, _ batch: StepBatch) throws(CommunicationError) {
        gradients.reset()
        ledger.clear()
        loads?.clear()
        let overlapped = engine.backgroundReduction.map {
            OverlappedReduction(gradients, $0, tracer: engine.reductionTracer)
        }
        let work = MicroBatchPass(
            configuration: configuration, batch: batch, mesh: engine.mesh, model: engine.model, source: source,
            gradients: gradients, ledger: ledger, loads: loads, parameters: state.parameters,
            consumed: state.consumed, overlapped: overlapped)
        let threads = engine.runners, microBatches = microBatches
        try computeMicroBatches(
            accumulationSteps: engine.mesh.accumulationSteps(microBatches: batch.microBatches),
            passing: engine.turnLock,
            on: threads.map(\.workers)
        ) { (inFlight, accumulationStep) throws(CommunicationError) in
            try work.compute(accumulationStep: accumulationStep, in: microBatches[inFlight], on: threads[inFlight])
        }
        let clock = engine.dispatcher.clock, world = engine.mesh.world
        if let overlapped {
            work.reduceCompleted(through: -1, on: engine.workers)
            try overlapped.finish(on: world, clock: clock)
        } else {
            gradients.finish(on: engine.workers)
            try engine.reduction.sum(gradients, clock: clock)
        }
        try clock.wait { () throws(CommunicationError) in try world.barrier() }
        try clock.reduce { () throws(CommunicationError) in
            try ledger.allReduce(batch.microBatches, over: world)
            if recordsLoads(after: state) { try loads?.allReduce(over: world) }
        }
    }

    private func recordsLoads(after state: TrainingState) -> Bool {
        loads != nil && (state.step + 1).isMultiple(of: configuration.metrics.expertLoadEvery)
    }

    /// The micro-batch `number` of the step after `consumed`, valid until the next is asked for or a step is taken.
    package func fill(microBatch number: Int, after consumed: Consumed) -> MicroBatch {
        source.fill(microBatches[0], number: number, after: consumed, of: configuration)
        return microBatches[0]
    }

    /// What makes a step's gradient no number; nil if it is one.
    private static func flaw(_ loss: Double, _ norm: Double, isOutOfRange: Bool) -> String? {
        guard loss.isFinite, norm.isFinite else {
            return "the loss is \(shortest(loss)) and the gradient's norm \(shortest(norm))"
        }
        return isOutOfRange
            ? "a gradient is not a number, or larger than the sums of exact mode hold (2^13 / micro-batches)" : nil
    }

    private func isOutOfRange() throws(CommunicationError) -> Bool {
        flags[0] = gradients.isOutOfRange ? 1 : 0
        try engine.mesh.world.allReduceMaximum(flags)
        return flags[0] != 0
    }

    private func learningRate(after state: TrainingState, _ batch: StepBatch) -> Double {
        let seen = state.consumed.tokens + batch.tokens
        let end = configuration.end(after: state.step, state.consumed)
        return peakLearningRate * configuration.schedule.multiplier(after: seen, of: end.tokens)
    }

    private func digest(of parameters: ParameterArena) throws(CommunicationError) -> UInt64 {
        try sums.digest(on: engine.workers, of: chunks.owned) { chunk, _ in parameters.values[chunk.range] }
    }
}
