package import Collectives
package import Diagnostics
package import Layers
package import Parallel
package import Tensors
package import Tracing
package import Workers

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
            groupSize: mesh.expertGroup.size, keepsActivations: keepsActivations, threads: workers.count,
            sharing: first?.workspace)
        dispatcher = try ExpertDispatcher(
            mesh, clock: CommunicationClock(tracer: workers.tracer),
            baton.map { ExpertDispatcher.Turns($0, lane: first == nil ? 0 : 1) })
    }
}

/// What one rank computes with: threads, the model, its part of the mesh, and memory for the lanes in flight.
package struct Engine {
    package let mesh: Mesh
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
            guard lanesInFlight == 1 || world.allowsThreads else {
                throw Failure(
                    .unavailable,
                    "two lanes in flight communicate from two threads, which this MPI library does not allow",
                    advice: "set parallel.lanes_in_flight to 1, or use an MPI library that has MPI_THREAD_MULTIPLE")
            }
        }
        precision = configuration.precision
        baton = lanesInFlight > 1 ? Baton() : nil
        do {
            mesh = try Mesh(world, expertParallel: expertParallel)
            model = LanguageModel(configuration.model, configuration.routing, mesh.share)
            let workers = Workers(count: threads, tracer: tracer)
            let first = try LaneThread(configuration, mesh, baton, workers: workers, keepsActivations: forTraining)
            guard baton != nil else {
                laneThreads = [first]
                return
            }
            let others = Workers(sharing: workers, tracer: tracer?.addLane())
            laneThreads = [
                first,
                try LaneThread(
                    configuration, mesh, baton, workers: others, keepsActivations: forTraining, besides: first),
            ]
        } catch {
            throw Failure(lost: error)
        }
    }

    package var layout: ParameterLayout { model.layout }
    package var workers: Workers { laneThreads[0].workers }
    /// Of the first lane in flight.
    package var workspace: LaneWorkspace { laneThreads[0].workspace }
    /// Of the first lane in flight.
    package var dispatcher: ExpertDispatcher { laneThreads[0].dispatcher }
}
