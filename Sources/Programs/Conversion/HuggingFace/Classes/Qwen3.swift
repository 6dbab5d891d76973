import JSON
import Configuration
import Diagnostics
import Tensors

/// One expert, and heads of queries and keys that are normalized.
struct Qwen3: ExportedClass {
    static let name = "Qwen3ForCausalLM"
    static let modelType = "qwen3"
    static let biases: [AttentionBias] = [.none, .all]
    static let queryKeyNorm = QueryKeyNormKind.head

    private init() {}

    init(holding model: ModelShape, _ routing: RoutingConfiguration, profile: ExportProfile) throws(Failure) {
        guard model.isDense else {
            throw Failure(.configuration, "model.experts is \(model.experts), but a Qwen 3 has no experts")
        }
    }

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "intermediate_size": .integer(model.expertHiddenSize), "use_sliding_window": .boolean(false),
            "head_dim": .integer(model.attention.headSize), "attention_bias": .boolean(model.attention.bias == .all),
        ]
    }

    var notes: [String] { Llama.notesOfOneExpert }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let hasBiases = try keys.boolean("attention_bias", default: false)
        let model = try CommonSettings.read(
            &keys, hiddenKey: "intermediate_size", experts: 1, expertsPerToken: 1, bias: hasBiases ? .all : .none,
            norm: .head, CommonSettings.Defaults(keyHeads: 32, headSize: 128))
        try keys.require("use_sliding_window", .boolean(false), feature: "a sliding window")
        return ImportedConfiguration(Qwen3(), model, normalizesGates: false)
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model) + expertTensors("model.layers.\(layer).mlp", layer, 0, model)
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.gated(h, name)
    }
}
