package import Collectives
package import Diagnostics
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
    /// - Parameters:
    ///   - laneTokens: of the longest lane
    ///   - forTraining: whether there will be backward passes
    /// - Throws: `unavailable` if some rank's build cannot compute in the precision
    package init(
        _ settings: ModelSettings, _ routing: RoutingSettings, _ precision: Precision, expertParallel: Int,
        laneTokens: Int, threads: Int,
        forTraining: Bool, on world: any Communicator
    ) throws(Failure) {
        try Agreement(ranks: world).settle { () throws(Failure) in try requireProducts(in: precision) }
        do {
            mesh = try Mesh(world, expertParallel: expertParallel, experts: settings.expertCount)
        } catch {
            throw Failure(lost: error)
        }
        model = LanguageModel(settings, routing, localExperts: mesh.localExperts)
        workspace = LaneWorkspace(
            settings, routing, precision, laneTokens: laneTokens, groupSize: expertParallel,
            keepsActivations: forTraining,
            threads: threads)
        dispatcher = ExpertDispatcher(mesh, clock: CommunicationClock())
        workers = Workers(count: threads)
        self.precision = precision
    }

    package var layout: ParameterLayout { model.layout }
}
