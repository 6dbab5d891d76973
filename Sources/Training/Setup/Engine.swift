package import Collectives
package import Diagnostics
package import Layers
package import Parallel
package import Tensors
package import Tracing
package import Workers

/// What one rank computes with: threads, the model, its part of the mesh, and memory for a lane.
package struct Engine {
    package let mesh: Mesh
    /// Which rank answers for which part of the arenas.
    package let partition: ArenaPartition
    /// Whether a rank updates only what it answers for.
    package let isOptimizerDistributed: Bool
    package let reduction: GradientReduction
    /// The same for a thread of its own, where gradients are summed while the backward pass goes on.
    package let backgroundReduction: GradientReduction?
    package let model: LanguageModel
    package let workspace: LaneWorkspace
    package let dispatcher: ExpertDispatcher
    package let workers: Workers
    /// Of matrix products.
    package let precision: Precision

    /// **Collective** over `world`.
    /// - Parameters:
    ///   - forTraining: whether there will be backward passes
    ///   - tracer: records what the rank is busy with, where somebody wants to know
    /// - Throws: `unavailable` if some rank's build cannot compute in the precision
    package init(
        _ configuration: RunConfiguration, expertParallel: Int, threads: Int, forTraining: Bool,
        on world: any Communicator, tracer: Tracer? = nil
    ) throws(Failure) {
        let settings = configuration.model, routing = configuration.routing
        try Agreement(ranks: world).settle { () throws(Failure) in
            try requireProducts(in: configuration.precision)
            if configuration.parallel.overlapReduction { try requireThreads(of: world) }
        }
        isOptimizerDistributed = configuration.parallel.distributedOptimizer
        do {
            mesh = try Mesh(world, expertParallel: expertParallel, experts: settings.expertCount)
            model = LanguageModel(settings, routing, localExperts: mesh.localExperts)
            partition = ArenaPartition(model.layout, ranks: world.size, expertParallel: expertParallel)
            reduction = GradientReduction(partition, over: mesh, isDistributed: isOptimizerDistributed)
            backgroundReduction =
                configuration.parallel.overlapReduction && world.size > 1 ? try reduction.inBackground() : nil
        } catch {
            throw Failure(lost: error)
        }
        workspace = LaneWorkspace(
            settings, routing, configuration.precision, recomputation: configuration.recomputation,
            laneTokens: configuration.batch.laneTokens, groupSize: expertParallel, keepsActivations: forTraining,
            threads: threads)
        dispatcher = ExpertDispatcher(mesh, clock: CommunicationClock(tracer: tracer))
        workers = Workers(count: threads, tracer: tracer)
        precision = configuration.precision
    }

    package var layout: ParameterLayout { model.layout }
    /// What this rank answers for.
    package var ownSlices: [Range<Int>] { partition.slices(of: mesh.world.rank) }
}

/// Refuses to communicate on two threads where the library cannot.
private func requireThreads(of world: any Communicator) throws(Failure) {
    guard !world.allowsThreads else { return }
    throw Failure(
        .unavailable,
        "`parallel.overlap_reduction` needs an MPI library that several threads may call at the same time (thread level "
            + "multiple), which this one does not allow",
        advice:
            "set parallel.overlap_reduction=false, or use an MPI library that does; `switchyard doctor` shows its level"
    )
}
