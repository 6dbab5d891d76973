import Collectives
import Configuration
import Model
import Parallelism
import Tensors
import Threading

/// A model on one virtual rank with everything it needs to compute a lane.
struct Bench {
    let model: LanguageModel
    let parameters: ParameterArena
    let gradients: GradientAccumulator
    let workspace: LaneWorkspace
    let dispatcher: ExpertDispatcher
    let workers: Workers

    init(
        _ settings: ModelSettings, _ routing: RoutingSettings, _ precision: Precision = .float32, laneTokens: Int,
        lanes: Int, isExact: Bool, recomputation: Recomputation = .none, threads: Int = 1, on world: any Communicator,
        expertParallel: Int = 1
    ) throws {
        let mesh = try Mesh(world, expertParallel: expertParallel)
        model = LanguageModel(settings, routing, mesh.share)
        parameters = ParameterArena(model.layout, for: precision)
        gradients = GradientAccumulator(model.layout, isExact: isExact, lanes: lanes)
        workspace = LaneWorkspace(
            settings, routing, precision, recomputation: recomputation, laneTokens: laneTokens,
            groupSize: expertParallel, keepsActivations: true,
            threads: threads)
        dispatcher = try ExpertDispatcher(mesh, clock: CommunicationClock())
        workers = Workers(count: threads)
    }

    /// Gradients and statistics of a batch of lanes, one after the other.
    func train(_ lanes: [Lane]) throws -> [LaneStatistics] {
        let predicted = lanes.reduce(0) { $0 + $1.tokens }
        let scale = LossScale(predictedTokens: predicted, lanes: lanes.count)
        gradients.reset()
        let statistics = try lanes.map { lane in
            try model.train(
                lane, parameters, scale: scale, gradients: gradients, workspace: workspace, through: dispatcher,
                on: workers)
        }
        gradients.finish(on: workers)
        return statistics
    }
}
