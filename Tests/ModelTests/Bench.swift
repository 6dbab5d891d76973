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
            expertParallelSize: expertParallel, keepsActivations: true,
            threads: threads)
        dispatcher = try ExpertDispatcher(mesh, clock: CommunicationClock())
        workers = Workers(count: threads)
    }

    /// The forward pass of sequences of `sequenceLength` tokens.
    func pass(_ purpose: LanePurpose, sequenceLength: Int, cache: KeyValueCache? = nil) -> ForwardContext {
        ForwardContext(
            parameters: parameters, workspace: workspace, dispatcher: dispatcher, pool: workers,
            sequenceLength: sequenceLength, purpose: purpose, cache: cache)
    }

    /// Gradients and statistics of a batch of lanes, one after the other.
    func train(_ lanes: [Lane]) throws -> [LaneStatistics] {
        let predicted = lanes.reduce(0) { $0 + $1.tokens }
        let scale = LossScale(predictedTokens: predicted, lanes: lanes.count)
        gradients.reset()
        let statistics = try lanes.map { lane in
            try model.train(
                lane,
                in: BackwardContext(
                    pass(.training, sequenceLength: lane.sequenceLength), gradients: gradients, scale: scale))
        }
        gradients.finish(on: workers)
        return statistics
    }
}
