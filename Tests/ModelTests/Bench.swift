import Collectives
import Configuration
import Model
import Parallelism
import Tensors
import Threading

/// A model on one virtual rank with everything it needs to compute a micro-batch.
struct Bench {
    let model: LanguageModel
    let parameters: ParameterArena
    let gradients: GradientAccumulator
    let workspace: MicroBatchWorkspace
    let dispatcher: FlatTokenDispatcher
    let workers: ThreadPool

    init(
        _ settings: ModelShape, _ routing: RoutingConfiguration, _ precision: Precision = .float32,
        microBatchTokens: Int,
        microBatches: Int, isExact: Bool, recomputation: Recomputation = .none, threads: Int = 1,
        on world: any Communicator,
        expertParallelSize: Int = 1
    ) throws {
        let mesh = try Mesh(world, expertParallelSize: expertParallelSize)
        model = LanguageModel(settings, routing, mesh.expertShard)
        parameters = ParameterArena(model.layout, for: precision)
        gradients = GradientAccumulator(model.layout, isExact: isExact, microBatches: microBatches)
        workspace = MicroBatchWorkspace(
            settings, routing, precision, recomputation: recomputation, microBatchTokens: microBatchTokens,
            expertParallelSize: expertParallelSize, keepsActivations: true,
            threads: threads)
        dispatcher = try FlatTokenDispatcher(mesh, clock: CommunicationClock())
        workers = ThreadPool(count: threads)
    }

    /// The forward pass of `microBatch`.
    func pass(_ purpose: PassPurpose, of microBatch: MicroBatch, cache: KeyValueCache? = nil) -> ForwardContext {
        ForwardContext(
            parameters: parameters, workspace: workspace, dispatcher: dispatcher, pool: workers,
            sequenceLength: microBatch.sequenceLength, documentStarts: microBatch.documentStarts, purpose: purpose,
            cache: cache)
    }

    /// Gradients and statistics of a batch of micro-batches, one after the other.
    func train(_ microBatches: [MicroBatch]) throws -> [MicroBatchStatistics] {
        let predicted = microBatches.reduce(0) { $0 + $1.tokens }
        let scale = LossScale(predictedTokens: predicted, microBatches: microBatches.count)
        gradients.reset()
        let statistics = try microBatches.map { microBatch in
            try model.train(
                microBatch,
                in: BackwardContext(pass(.training, of: microBatch), gradients: gradients, scale: scale))
        }
        gradients.finish(on: workers)
        return statistics
    }
}
