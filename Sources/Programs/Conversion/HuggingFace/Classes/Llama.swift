import JSON
import Configuration
import Diagnostics
import Tensors

/// One expert: its gate is always 1, so the router has no effect and stays behind.
struct Llama: ExportedClass {
    static let name = "LlamaForCausalLM"
    static let modelType = "llama"

    private init() {}

    init(holding model: ModelShape, _ routing: RoutingConfiguration, profile: ExportProfile) throws(Failure) {
        guard model.isDense else {
            throw Failure(.configuration, "model.experts is \(model.experts), but a Llama has no experts")
        }
    }

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "intermediate_size": .integer(model.expertHiddenSize), "head_dim": .integer(model.headSize),
            "attention_bias": .boolean(false), "mlp_bias": .boolean(false),
        ]
    }

    var notes: [String] { ["the routers of a model of one expert have no effect and are left out"] }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let model = try CommonSettings.read(&keys, hiddenKey: "intermediate_size", experts: 1, expertsPerToken: 1)
        for key in ["attention_bias", "mlp_bias"] { try keys.require(key, .boolean(false), feature: "a bias") }
        return ImportedConfiguration(Llama(), model, normalizesGates: false)
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model) + expertTensors("model.layers.\(layer).mlp", layer, 0, model)
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.gated(h, name)
    }
}
