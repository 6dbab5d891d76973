import Collectives
import Configuration
import Diagnostics
import HDF5
import Inference
import Model
import Parallelism
import Tensors

/// One micro-batch of one step, computed alone, for a look at its tensors. On the one rank that holds everything.
struct MicroBatchInspection {
    private let microBatch: MicroBatch
    private let number: Int
    private let step: Int
    private let engine: Engine
    private let configuration: ResolvedConfiguration
    private let scale: LossScale
    private let statistics: MicroBatchStatistics
    private let gradients: GradientAccumulator

    init(
        _ microBatch: MicroBatch, number: Int, step: Int, of batch: StepBatch, _ parameters: ParameterArena,
        _ engine: Engine, _ configuration: ResolvedConfiguration
    ) throws(Failure) {
        (self.microBatch, self.number, self.step, self.engine) = (microBatch, number, step, engine)
        self.configuration = configuration
        scale = LossScale(predictedTokens: batch.tokens, microBatches: batch.microBatches)
        gradients = GradientAccumulator(
            engine.layout, isExact: true, microBatches: configuration.batch.largestStep.microBatches)
        gradients.reset()
        do {
            statistics = try engine.model.train(
                microBatch,
                in: BackwardContext(
                    engine.pass(.training, parameters, of: microBatch), gradients: gradients, scale: scale))
        } catch {
            throw Failure(communication: error)
        }
        gradients.finish(on: engine.workers)
    }

    func write(to path: String) throws(HDF5Error) {
        let file = try HDF5File.create(path)
        let root = try file.root()
        try root.setAttribute("run", configuration.runName)
        try root.setAttribute("step", Int64(step))
        try root.setAttribute("micro-batch", Int64(number))
        try root.setAttribute("loss", statistics.crossEntropy / Double(microBatch.tokens))
        try root.setAttribute("cross_entropy_scale", scale.crossEntropy)
        try root.setAttribute("auxiliary_scale", scale.auxiliary)
        try write(microBatch.inputs, "inputs", [microBatch.tokens], root)
        try write(microBatch.targets, "targets", [microBatch.tokens], root)
        if let starts = microBatch.documentStarts {
            try write(starts, "document_starts", [microBatch.tokens], root)
        }
        try write(engine.workspace.losses[0..<microBatch.tokens], "losses", [microBatch.tokens], root)
        for (layer, statistics) in statistics.routes.enumerated() where configuration.model.isRouted(layer) {
            try write(layer, statistics, root)
        }
        for id in engine.layout.all {
            let entry = engine.layout[id], values = Vector<Float>(count: entry.count)
            let gradient = gradients.values(entry.range, buffer: values)
            try write(gradient, "gradients/\(entry.name)", entry.storedShape, root)
        }
        try root.close()
        try file.flush()
        try file.close()
    }

    private func write(_ layer: Int, _ statistics: RoutingStatistics, _ root: HDF5Group) throws(HDF5Error) {
        let route = engine.workspace.route(inLayer: layer), folder = "routes/\(layer)"
        let tokens = microBatch.tokens, k = route.expertsPerToken
        try write(route.expertIndices[0..<tokens * k], "\(folder)/expert_indices", [tokens, k], root)
        try write(route.gates[0..<tokens * k], "\(folder)/gates", [tokens, k], root)
        try write(route.slots[0..<tokens * k], "\(folder)/slots", [tokens, k], root)
        let probabilities = route.probabilities.rows(0..<tokens).vector
        try write(probabilities, "\(folder)/probabilities", [tokens, route.experts], root)
        let capacity = engine.workspace.sizes(inLayer: layer).capacity
        let group = try root.group(folder)
        try group.setAttribute("capacity", Int64(capacity))
        try group.setAttribute("dropped", Int64(statistics.dropped))
        try group.setAttribute("load_balance_loss", statistics.loadBalance)
        try group.setAttribute("z_loss", statistics.z)
        try group.close()
    }

    private func write<Element: HDF5Element>(
        _ values: Vector<Element>, _ name: String, _ shape: [Int], _ root: HDF5Group
    ) throws(HDF5Error) {
        let dataset = try root.createDataset(name, of: Element.storage, shape: shape)
        try dataset.write(values, offset: shape.map { _ in 0 }, shape: shape)
        try dataset.close()
    }
}
