import Configuration
import Diagnostics
import JSON
import Tensors

/// A class whose layers have one feed-forward each, `mlp`: the only expert of a layer of ours, whose gate is always 1, so that the
/// router has no effect and stays behind.
protocol DenseClass: HuggingFaceClass {}

extension DenseClass {
    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model) + expertTensors("model.layers.\(layer).mlp", layer, 0, model)
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.gated(h, name)
    }

    /// `CommonSettings` of a model of one expert.
    static func readDense(
        _ keys: inout ConfigurationKeys, bias: AttentionBias = .none, norm: QueryKeyNormKind = .none,
        _ defaults: CommonSettings.Defaults = CommonSettings.Defaults()
    ) throws(Failure) -> ModelShape {
        try CommonSettings.read(
            &keys, hiddenKey: "intermediate_size", experts: 1, expertsPerToken: 1, bias: bias, norm: norm, defaults)
    }
}

protocol ExportedDenseClass: ExportedClass, DenseClass {}

extension ExportedDenseClass {
    var notes: [String] { ["the routers of a model of one expert have no effect and are left out"] }

    /// The hidden size of the feed-forward, under the class's name.
    func denseSettings(of model: ModelShape) -> [String: JSONValue] {
        ["intermediate_size": .integer(model.expertHiddenSize)]
    }
}
