package import Collectives
package import Layers
package import Parallel
package import Tensors
package import Workers

/// What one rank computes with: threads, the model, its part of the mesh, and memory for a lane.
package struct Engine {
    package let mesh: Mesh
    package let model: LanguageModel
    package let workspace: LaneWorkspace
    package let dispatcher: ExpertDispatcher
    package let workers: Workers
    /// Of matrix products.
    package let precision: Precision

    /// **Collective** over `world`.
    /// - Parameter forTraining: whether there will be backward passes
    package init(
        _ configuration: RunConfiguration, expertParallel: Int, threads: Int, forTraining: Bool,
        on world: any Communicator
    ) throws(CommunicationError) {
        let settings = configuration.model, routing = configuration.routing
        mesh = try Mesh(world, expertParallel: expertParallel, experts: settings.expertCount)
        model = LanguageModel(settings, routing, localExperts: mesh.localExperts)
        workspace = LaneWorkspace(
            settings, routing, configuration.precision, recomputation: configuration.recomputation,
            laneTokens: configuration.batch.laneTokens, groupSize: expertParallel, keepsActivations: forTraining,
            threads: threads)
        dispatcher = ExpertDispatcher(mesh, clock: CommunicationClock())
        workers = Workers(count: threads)
        precision = configuration.precision
    }

    package var layout: ParameterLayout { model.layout }
}
