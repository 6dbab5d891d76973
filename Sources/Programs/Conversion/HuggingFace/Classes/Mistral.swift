import Configuration
import Diagnostics
import Tensors

/// A Llama whose attention can have a window, which a model of ours does not have.
struct Mistral: HuggingFaceClass {
    static let name = "MistralForCausalLM"
    static let modelType = "mistral"

    private init() {}

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let model = try CommonSettings.read(
            &keys, hiddenKey: "intermediate_size", experts: 1, expertsPerToken: 1,
            CommonSettings.Defaults(keyHeads: 8))
        try CommonSettings.requireNoWindow(&keys, default: 4096, context: model.context)
        return ImportedConfiguration(Mistral(), model, normalizesGates: false)
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model) + expertTensors("model.layers.\(layer).mlp", layer, 0, model)
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.gated(h, name)
    }
}
