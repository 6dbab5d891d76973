package import Collectives
package import Configuration
package import Diagnostics
package import Model
package import Tensors
package import Threading

/// What a lane in flight has of its own: memory, its way to the experts, and its hand on the rank's workers.
package struct LaneThread: Sendable {
    package let workspace: LaneWorkspace
    package let dispatcher: ExpertDispatcher
    package let workers: Workers

    /// **Collective** over the world.
    /// - Parameters:
    ///   - baton: nil if there is but one lane in flight
    ///   - first: the lane in flight whose workers and scratch this one uses too, in turns
    fileprivate init(
        _ configuration: RunConfiguration, _ mesh: Mesh, _ baton: Baton?, workers: Workers, keepsActivations: Bool,
        besides first: LaneThread? = nil
    ) throws(CommunicationError) {
        self.workers = workers
        workspace = LaneWorkspace(
            configuration.model, configuration.routing, configuration.precision,
            recomputation: configuration.recomputation, laneTokens: configuration.batch.laneTokens,
            expertParallelSize: mesh.expertGroup.size, keepsActivations: keepsActivations, threads: workers.count,
            sharing: first?.workspace)
        dispatcher = try ExpertDispatcher(
            mesh, clock: CommunicationClock(tracer: workers.tracer),
            baton.map { ExpertDispatcher.Turns($0, lane: first == nil ? 0 : 1) })
    }

    /// One for each lane in flight. **Collective** over the world.
    fileprivate static func all(
        _ configuration: RunConfiguration, _ mesh: Mesh, _ baton: Baton?, threads: Int, keepsActivations: Bool,
        tracer: Tracer?
    ) throws(CommunicationError) -> [LaneThread] {
        let workers = Workers(count: threads, tracer: tracer)
        let first = try LaneThread(configuration, mesh, baton, workers: workers, keepsActivations: keepsActivations)
        guard baton != nil else { return [first] }
        let others = Workers(sharing: workers, tracer: tracer?.addThread("second lane in flight"))
        return [
            first,
            try LaneThread(
                configuration, mesh, baton, workers: others, keepsActivations: keepsActivations, besides: first),
        ]
    }
}

extension LaneThread {
    /// A forward pass of sequences of `sequenceLength` tokens on this thread.
    package func pass(
        _ purpose: LanePurpose, _ parameters: ParameterArena, sequenceLength: Int, cache: KeyValueCache? = nil
    ) -> ForwardContext {
        ForwardContext(
            parameters: parameters, workspace: workspace, dispatcher: dispatcher, pool: workers,
            sequenceLength: sequenceLength, purpose: purpose, cache: cache)
    }
}

/// What one rank computes with: threads, the model, its part of the mesh, and memory for the lanes in flight.
package struct Engine {
    package let mesh: Mesh
    /// Which rank answers for which part of the arenas.
    package let partition: ArenaPartition
    /// Whether a rank updates only what it answers for.
    package let isOptimizerDistributed: Bool
    package let reduction: GradientReduction
    /// The same for a thread of its own, where gradients are summed while the backward pass goes on.
    package let backgroundReduction: GradientReduction?
    /// Records what that thread does.
    package let reductionTracer: Tracer?
    package let model: LanguageModel
    /// One for each lane in flight.
    package let laneThreads: [LaneThread]
    /// Passes between the lanes in flight, if they are two.
    package let baton: Baton?
    /// Of matrix products.
    package let precision: Precision

    /// **Collective** over `world`.
    /// - Parameters:
    ///   - lanesInFlight: 1, or 2 for training
    ///   - forTraining: whether there will be backward passes
    ///   - tracer: records what the rank is busy with, where somebody wants to know
    /// - Throws: `unavailable` if some rank's build cannot compute in the precision, or its MPI knows no threads
    package init(
        _ configuration: RunConfiguration, expertParallel: Int, threads: Int, lanesInFlight: Int = 1, forTraining: Bool,
        on world: any Communicator, tracer: Tracer? = nil
    ) throws(Failure) {
        try Agreement(ranks: world).settle { () throws(Failure) in
            try requireProducts(in: configuration.precision)
            if lanesInFlight > 1 {
                try requireThreads(of: world, for: "parallel.micro_batches_in_flight=2", instead: "1")
            }
            if configuration.parallel.overlapReduction {
                try requireThreads(of: world, for: "parallel.overlap_reduction=true", instead: "false")
            }
        }
        try requireFewThreads(threads, on: world)
        precision = configuration.precision
        baton = lanesInFlight > 1 ? Baton() : nil
        isOptimizerDistributed = configuration.parallel.distributedOptimizer
        do {
            mesh = try Mesh(world, expertParallel: expertParallel)
            model = LanguageModel(configuration.model, configuration.routing, mesh.share)
            partition = ArenaPartition(model.layout, ranks: world.size, expertParallel: expertParallel)
            reduction = GradientReduction(partition, over: mesh, isDistributed: isOptimizerDistributed)
            backgroundReduction =
                configuration.parallel.overlapReduction && world.size > 1 ? try reduction.inBackground() : nil
            laneThreads = try LaneThread.all(
                configuration, mesh, baton, threads: threads, keepsActivations: forTraining, tracer: tracer)
            reductionTracer = backgroundReduction == nil ? nil : tracer?.addThread("gradient reduction")
        } catch {
            throw Failure(lost: error)
        }
    }

    package var layout: ParameterLayout { model.layout }
    /// What this rank answers for.
    package var ownSlices: [Range<Int>] { partition.slices(of: mesh.world.rank) }
    package var workers: Workers { laneThreads[0].workers }
    /// Of the first lane in flight.
    package var workspace: LaneWorkspace { laneThreads[0].workspace }
    /// Of the first lane in flight.
    package var dispatcher: ExpertDispatcher { laneThreads[0].dispatcher }

    /// A forward pass of sequences of `sequenceLength` tokens, with the first micro-batch's memory.
    package func pass(
        _ purpose: LanePurpose, _ parameters: ParameterArena, sequenceLength: Int, cache: KeyValueCache? = nil
    ) -> ForwardContext {
        laneThreads[0].pass(purpose, parameters, sequenceLength: sequenceLength, cache: cache)
    }
}

/// Refuses to communicate on two threads where the library cannot.
private func requireThreads(
    of world: any Communicator, for setting: String, instead value: String
) throws(Failure) {
    guard !world.allowsThreads else { return }
    throw Failure(
        .unavailable,
        "`\(setting)` needs an MPI library that several threads may call at the same time (thread level multiple), which "
            + "this one does not allow",
        advice: "set it to \(value), or use an MPI library that does; `switchyard doctor` shows its level")
}
