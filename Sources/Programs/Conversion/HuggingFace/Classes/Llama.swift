import JSON
import Configuration
import Diagnostics
import Tensors

/// One expert: its gate is always 1, so the router has no effect and stays behind.
struct Llama: ExportedClass {
    static let name = "LlamaForCausalLM"
    static let modelType = "llama"
    static let biases: [AttentionBias] = [.none, .all]

    private init() {}

    init(holding model: ModelShape, _ routing: RoutingConfiguration, profile: ExportProfile) throws(Failure) {
        guard model.isDense else {
            throw Failure(.configuration, "model.experts is \(model.experts), but a Llama has no experts")
        }
    }

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "intermediate_size": .integer(model.expertHiddenSize),
            "head_dim": .integer(model.attention.headSize), "attention_bias": .boolean(model.attention.bias == .all),
            "mlp_bias": .boolean(false),
        ]
    }

    static let notesOfOneExpert = ["the routers of a model of one expert have no effect and are left out"]
    var notes: [String] { Self.notesOfOneExpert }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let hasBiases = try keys.boolean("attention_bias", default: false)
        let model = try CommonSettings.read(
            &keys, hiddenKey: "intermediate_size", experts: 1, expertsPerToken: 1, bias: hasBiases ? .all : .none)
        try keys.require("mlp_bias", .boolean(false), feature: "a bias of the feed-forward")
        return ImportedConfiguration(Llama(), model, normalizesGates: false)
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model) + expertTensors("model.layers.\(layer).mlp", layer, 0, model)
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.gated(h, name)
    }
}
