package import Collectives
package import Configuration
package import Diagnostics
package import Model
package import Tensors
package import Threading

/// What a micro-batch in flight has of its own: memory, its way to the experts, and its hand on the rank's workers.
package struct MicroBatchRunner: Sendable {
    package let workspace: MicroBatchWorkspace
    package let dispatcher: FlatTokenDispatcher
    package let workers: ThreadPool

    /// **Collective** over the world.
    /// - Parameters:
    ///   - turnLock: nil if there is but one micro-batch in flight
    ///   - first: the micro-batch in flight whose workers and scratch this one uses too, in turns
    fileprivate init(
        _ configuration: ResolvedConfiguration, _ mesh: Mesh, _ turnLock: TurnLock?, workers: ThreadPool,
        keepsActivations: Bool,
        besides first: MicroBatchRunner? = nil
    ) throws(CommunicationError) {
        self.workers = workers
        workspace = MicroBatchWorkspace(
            configuration.model, configuration.routing, configuration.precision,
            recomputation: configuration.recomputation, microBatchTokens: configuration.batch.microBatchTokens,
            expertParallelSize: mesh.expertGroup.size, keepsActivations: keepsActivations, threads: workers.count,
            sharing: first?.workspace)
        dispatcher = try FlatTokenDispatcher(
            mesh, clock: CommunicationClock(tracer: workers.tracer),
            turnLock.map { FlatTokenDispatcher.Overlap($0, microBatch: first == nil ? 0 : 1) })
    }

    /// One for each micro-batch in flight. **Collective** over the world.
    fileprivate static func all(
        _ configuration: ResolvedConfiguration, _ mesh: Mesh, _ turnLock: TurnLock?, threads: Int,
        keepsActivations: Bool,
        tracer: Tracer?
    ) throws(CommunicationError) -> [MicroBatchRunner] {
        let workers = ThreadPool(count: threads, tracer: tracer)
        let first = try MicroBatchRunner(
            configuration, mesh, turnLock, workers: workers, keepsActivations: keepsActivations)
        guard turnLock != nil else { return [first] }
        let others = ThreadPool(sharing: workers, tracer: tracer?.addThread("second micro-batch in flight"))
        return [
            first,
            try MicroBatchRunner(
                configuration, mesh, turnLock, workers: others, keepsActivations: keepsActivations, besides: first),
        ]
    }
}

extension MicroBatchRunner {
    /// A forward pass of `microBatch` on this thread.
    package func pass(
        _ purpose: PassPurpose, _ parameters: ParameterArena, of microBatch: MicroBatch, cache: KeyValueCache? = nil
    ) -> ForwardContext {
        ForwardContext(
            parameters: parameters, workspace: workspace, dispatcher: dispatcher, pool: workers,
            sequenceLength: microBatch.sequenceLength, documentStarts: microBatch.documentStarts, purpose: purpose,
            cache: cache)
    }
}

/// What one rank computes with: threads, the model, its part of the mesh, and memory for the micro-batches in flight.
package struct Engine {
    package let mesh: Mesh
    /// Which rank owns which part of the arenas.
    package let partition: ArenaPartition
    package let optimizer: OptimizerConfiguration
    /// Whether a rank updates only what it owns.
    package let isOptimizerDistributed: Bool
    package let reduction: GradientReduction
    /// The same for a thread of its own, where gradients are summed while the backward pass goes on.
    package let backgroundReduction: GradientReduction?
    /// Records what that thread does.
    package let reductionTracer: Tracer?
    package let model: LanguageModel
    /// One for each micro-batch in flight.
    package let runners: [MicroBatchRunner]
    /// Passes between the micro-batches in flight, if they are two.
    package let turnLock: TurnLock?
    /// Of matrix products.
    package let precision: Precision

    /// **Collective** over `world`.
    /// - Parameters:
    ///   - microBatchesInFlight: 1, or 2 for training
    ///   - forTraining: whether there will be backward passes
    ///   - tracer: records what the rank is busy with, where somebody wants to know
    /// - Throws: `unavailable` if some rank's build cannot compute in the precision, or its MPI knows no threads
    package init(
        _ configuration: ResolvedConfiguration, expertParallelSize: Int, threads: Int, microBatchesInFlight: Int = 1,
        forTraining: Bool,
        on world: any Communicator, tracer: Tracer? = nil
    ) throws(Failure) {
        try Agreement(ranks: world).onAllRanks { () throws(Failure) in
            try requireProducts(in: configuration.precision)
            if microBatchesInFlight > 1 {
                try requireThreads(of: world, for: "parallel.micro_batches_in_flight=2", instead: "1")
            }
            if configuration.parallel.overlapReduction {
                try requireThreads(of: world, for: "parallel.overlap_reduction=true", instead: "false")
            }
        }
        try requireFewThreads(threads, on: world)
        precision = configuration.precision
        turnLock = microBatchesInFlight > 1 ? TurnLock() : nil
        (optimizer, isOptimizerDistributed) = (configuration.optimizer, configuration.distributesOptimizer)
        do {
            mesh = try Mesh(world, expertParallelSize: expertParallelSize)
            model = LanguageModel(configuration.model, configuration.routing, mesh.expertShard)
            partition = ArenaPartition(
                model.layout, ranks: world.size, expertParallelSize: expertParallelSize,
                keepsMatricesWhole: configuration.optimizer.kind == .muon)
            reduction = GradientReduction(partition, over: mesh, isDistributed: isOptimizerDistributed)
            backgroundReduction =
                configuration.parallel.overlapReduction && world.size > 1 ? try reduction.overlapping() : nil
            runners = try MicroBatchRunner.all(
                configuration, mesh, turnLock, threads: threads, keepsActivations: forTraining, tracer: tracer)
            reductionTracer = backgroundReduction == nil ? nil : tracer?.addThread("gradient reduction")
        } catch {
            throw Failure(communication: error)
        }
    }

    package var layout: ParameterLayout { model.layout }
    /// The slices of the arenas that this rank owns.
    package var ownedRanges: [Range<Int>] { partition.ownedRanges(of: mesh.world.rank) }
    package var workers: ThreadPool { runners[0].workers }
    /// Of the first micro-batch in flight.
    package var workspace: MicroBatchWorkspace { runners[0].workspace }
    /// Of the first micro-batch in flight.
    package var dispatcher: FlatTokenDispatcher { runners[0].dispatcher }

    /// A forward pass of `microBatch`, with the first micro-batch's memory.
    package func pass(
        _ purpose: PassPurpose, _ parameters: ParameterArena, of microBatch: MicroBatch, cache: KeyValueCache? = nil
    ) -> ForwardContext {
        runners[0].pass(purpose, parameters, of: microBatch, cache: cache)
    }
}

/// Refuses to communicate on two threads where the library cannot.
private func requireThreads(
    of world: any Communicator, for setting: String, instead value: String
) throws(Failure) {
    guard !world.supportsThreads else { return }
    throw Failure(
        .unavailable,
        "`\(setting)` needs an MPI library that several threads may call at the same time (thread level multiple), which "
            + "this one does not allow",
        advice: "set it to \(value), or use an MPI library that does; `switchyard doctor` shows its level")
}
