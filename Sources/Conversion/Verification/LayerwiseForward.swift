import Checkpoints
import Collectives
import Diagnostics
import GEMM
import Layers
import Tensors
import Training

/// Our model's logits, straight from a checkpoint, with one layer in memory at a time.
struct LayerwiseForward {
    private let source: SourceCheckpoint
    private let engine: Engine
    private let tokens: SampleTokens
    /// A model of one layer and without a vocabulary: what is in memory at a time.
    private let model: ModelSettings
    private let routing: RoutingSettings

    /// Dropless, whatever the configuration says about evaluation.
    init(_ source: SourceCheckpoint, _ tokens: SampleTokens, on world: any Communicator) throws(Failure) {
        self.source = source
        self.tokens = tokens
        var configuration = source.configuration
        configuration.model.layers = 1
        configuration.model.vocabularySize = 1
        configuration.routing.evaluationCapacityFactor = nil
        configuration.precision = .float32
        configuration.batch.laneTokens = tokens.count
        model = configuration.model
        routing = configuration.routing
        engine = try Engine(configuration, expertParallel: 1, threads: 1, forTraining: false, on: world)
    }

    /// - Returns: `[tokens, dModel]`: the normalised output of the last block
    func hidden() throws(Failure) -> Tensor {
        let parameters = ParameterArena(engine.layout)
        let sizes = LaneSizes(model, routing, laneTokens: tokens.count, groupSize: 1)
        let saved = Block.Activations(sizes, model, .float32, groupSize: 1)
        let block = Block(0, model, routing, engine.layout)
        try embed(into: saved.input)
        let y = Tensor(rows: tokens.count, columns: model.dModel)
        for layer in 0..<source.configuration.model.layers {
            try load(layer, into: parameters)
            do {
                _ = try block.forward(
                    into: y, sequenceLength: tokens.length, parameters, for: .evaluation, saving: saved,
                    workspace: engine.workspace, through: engine.dispatcher, on: engine.workers)
            } catch {
                throw Failure(lost: error)
            }
            copy(y.vector, into: saved.input.vector)
        }
        let norm = Norm("final_norm", model, engine.layout)
        let kept = Norm.Activations(tokens: tokens.count, dModel: model.dModel, .float32)
        return norm.forward(y, parameters, saving: kept, on: engine.workers).tensor
    }

    /// Logits of the tokens `vocabulary`.
    /// - Returns: `[tokens, vocabulary.count]`
    func logits(_ hidden: Tensor, _ vocabulary: Range<Int>) throws(Failure) -> Tensor {
        let name = source.configuration.model.tieEmbeddings ? "embedding" : "head"
        let head = try source.reader.read(
            "parameters/\(name)", offset: [vocabulary.lowerBound, 0], shape: [vocabulary.count, model.dModel])
        let logits = Tensor(rows: hidden.rows, columns: vocabulary.count)
        multiply(
            hidden.factor, Tensor(head, rows: vocabulary.count, columns: model.dModel).transposed,
            into: .float32(logits))
        return logits
    }

    private func embed(into x: Tensor) throws(Failure) {
        for (row, token) in tokens.all.enumerated() {
            let place = row * model.dModel..<(row + 1) * model.dModel
            try source.reader.read(
                "parameters/embedding", offset: [token, 0], shape: [1, model.dModel], into: x.vector[place])
        }
    }

    private func load(_ layer: Int, into arena: ParameterArena) throws(Failure) {
        for id in engine.layout.all {
            let name = engine.layout[id].name
            guard name.hasPrefix("blocks.") || name.hasPrefix("final_norm") else { continue }
            let stored = "parameters/" + name.replacing("blocks.0.", with: "blocks.\(layer).", maxReplacements: 1)
            let shape = try source.reader.tensor(stored).shape
            try source.reader.read(
                stored, offset: shape.map { _ in 0 }, shape: shape, into: arena.vector(id))
        }
    }
}
