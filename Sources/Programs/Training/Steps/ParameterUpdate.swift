import Collectives
import Configuration
import Model
import Optimization
import Parallelism
import Tensors
import Threading

/// Updates a rank's parameters by the summed gradients of a step, each by the optimizer it belongs to, and digests them.
struct ParameterUpdate: Sendable {
    private let engine: Engine
    private let routerState: (any RouterState)?
    private let average: ParameterAverage
    private let chunks: ChunkPlan
    private let sums: NormAndDigest
    private let view: GradientView
    /// Nil where AdamW updates all parameters.
    private let hidden: (matrices: HiddenMatrices, scratch: Vector<Float>)?

    init(
        _ configuration: ResolvedConfiguration, _ engine: Engine, _ chunks: ChunkPlan, _ sums: NormAndDigest,
        gradients view: GradientView
    ) {
        (self.engine, self.chunks, self.sums, self.view) = (engine, chunks, sums, view)
        routerState = RoutingPolicy.state(configuration.routing)
        average = ParameterAverage(engine.optimizer)
        if engine.optimizer.kind == .muon {
            let matrices = HiddenMatrices(engine.layout, owning: engine.ownedRanges, threads: engine.workers.count)
            hidden = (matrices, Vector(count: matrices.scratchCount))
        } else {
            hidden = nil
        }
    }

    /// - Returns: the digest of the new parameters. **Collective** over the world.
    func run(_ state: TrainingState, _ outcome: StepOutcome) throws(CommunicationError) -> UInt64 {
        engine.workers.tracer?.begin(.update)
        defer { engine.workers.tracer?.end() }
        let scale = engine.optimizer.clipFactor(norm: outcome.gradientNorm)
        updateHidden(
            state, MuonStep(engine.optimizer, learningRate: outcome.learningRate, gradientScale: scale))
        let digest = try updateOthers(
            state,
            AdamWStep(
                engine.optimizer, number: state.updates, learningRate: outcome.learningRate, gradientScale: scale))
        if engine.isOptimizerDistributed { try refreshForeign(state.parameters) }
        return digest
    }

    private func updateHidden(_ state: TrainingState, _ step: MuonStep) {
        guard let hidden else { return }
        let view = view
        hidden.matrices.update(
            state.parameters.values, momentum: state.firstMoment, by: step, scratch: hidden.scratch, on: engine.workers
        ) { view.values($0, worker: $1) }
    }

    /// What Muon does not update; the average and the digest of all.
    private func updateOthers(_ state: TrainingState, _ step: AdamWStep) throws(CommunicationError) -> UInt64 {
        let parameters = state.parameters, (m, v) = (state.firstMoment, state.secondMoment)
        let layout = engine.layout, view = view, routerState = routerState, hasMuon = hidden != nil
        let averages = state.average, average = average
        let updated = engine.isOptimizerDistributed ? chunks.owned : Array(chunks.local.indices)
        return try sums.digest(on: engine.workers, of: updated) { chunk, worker in
            let range = chunk.range, values = parameters.values[range], entry = layout[chunk.parameter]
            if !entry.hasGradient {
                routerState?.update(values, sums: view.values(range, worker: worker))
            } else if !hasMuon || entry.hiddenWidths.isEmpty {
                step.update(
                    values, gradient: view.values(range, worker: worker), firstMoment: m[range],
                    secondMoment: v[range], hasWeightDecay: entry.hasWeightDecay)
            }
            if let averages { average.update(averages[range], with: values) }
            parameters.refresh(range)
            return values
        }
    }

    /// Takes over what other ranks have updated. **Collective**.
    private func refreshForeign(_ parameters: ParameterArena) throws(CommunicationError) {
        try engine.reduction.gather(parameters, clock: engine.dispatcher.clock)
        let chunks = chunks
        engine.workers.run(chunks.foreign.count) { _, index in
            parameters.refresh(chunks.local[chunks.foreign[index]].range)
        }
    }
}

/// The summed gradients, a chunk at most at a time, converted from fixed point where they must be.
struct GradientView: Sendable {
    private let gradients: GradientAccumulator
    /// A chunk for each thread.
    private let buffers: [Vector<Float>]

    init(_ gradients: GradientAccumulator, threads: Int) {
        self.gradients = gradients
        buffers = (0..<threads).map { _ in Vector(count: gradients.isExact ? ChunkPlan.extent : 0) }
    }

    /// - Parameters:
    ///   - range: of the arenas
    ///   - worker: the thread that asks
    func values(_ range: Range<Int>, worker: Int) -> Vector<Float> {
        gradients.values(range, buffer: buffers[worker])
    }
}
