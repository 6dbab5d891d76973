import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Kernels
import MatrixProducts
import Model
import Parallelism
import Tensors

/// Our model's logits, straight from a checkpoint, with one layer in memory at a time.
struct LayerwiseForward {
    private let source: SourceCheckpoint
    private let engine: Engine
    private let tokens: SampleTokens

    /// Dropless, whatever the configuration says about evaluation.
    init(_ source: SourceCheckpoint, _ tokens: SampleTokens, on world: any Communicator) throws(Failure) {
        self.source = source
        self.tokens = tokens
        var configuration = source.configuration
        configuration.model.vocabularySize = 1
        configuration.routing.evaluationCapacityFactor = nil
        configuration.precision = .float32
        configuration.batch.microBatchTokens = tokens.count
        // Without a backward pass all layers share what one needs.
        engine = try Engine(configuration, expertParallelSize: 1, threads: 1, forTraining: false, on: world)
    }

    private var model: ModelShape { engine.model.settings }

    /// - Returns: `[tokens, dModel]`: the normalized output of the last block
    func hidden() throws(Failure) -> Tensor {
        let x = Tensor(rows: tokens.count, columns: model.dModel), y = Tensor(rows: tokens.count, columns: model.dModel)
        try embed(into: x)
        var single = model(ofLayer: 0), parameters = ParameterArena(single.layoutOfAllExperts)
        for layer in 0..<model.layers {
            let next = model(ofLayer: layer)
            if next != single { (single, parameters) = (next, ParameterArena(next.layoutOfAllExperts)) }
            try load(layer, into: parameters)
            try forward(x, into: y, single, parameters)
            x.copy(from: y)
        }
        let norm = Norm("final_norm", single, parameters.layout)
        let kept = Norm.Activations(tokens: tokens.count, dModel: model.dModel, .float32)
        return norm.forward(y, saving: kept, in: pass(parameters)).tensor
    }

    /// A model of this layer alone: what is in memory at a time.
    private func model(ofLayer layer: Int) -> ModelShape {
        var single = model
        single.layers = 1
        single.experts = ExpertsPerLayer(model.experts[layer: layer])
        single.dense = model.isRouted(layer) ? .none : DenseLayersConfiguration([0], hiddenSize: model.dense.hiddenSize)
        return single
    }

    private func forward(
        _ x: Tensor, into y: Tensor, _ single: ModelShape, _ parameters: ParameterArena
    ) throws(Failure) {
        let routing = engine.model.routing
        let sizes = LayerSizes.byLayer(single, routing, microBatchTokens: tokens.count, expertParallelSize: 1)[0]
        let saved = Block.Activations(sizes, single, .float32)
        saved.input.vector.copy(from: x.vector)
        do {
            _ = try Block(0, single, routing, parameters.layout).forward(
                into: y, saving: saved, in: pass(parameters))
        } catch {
            throw Failure(communication: error)
        }
    }

    private func pass(_ parameters: ParameterArena) -> ForwardContext {
        engine.pass(.evaluation, parameters, of: MicroBatch(sequences: 0, sequenceLength: tokens.length))
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
        for id in arena.layout.all {
            let name = arena.layout[id].name
            guard name.hasPrefix("blocks.") || name.hasPrefix("final_norm") else { continue }
            let stored = "parameters/" + name.replacing("blocks.0.", with: "blocks.\(layer).", maxReplacements: 1)
            let shape = try source.reader.tensor(stored).shape
            try source.reader.read(
                stored, offset: shape.map { _ in 0 }, shape: shape, into: arena.vector(id))
        }
    }
}
