import JSON
import Configuration
import Diagnostics
import Tensors

/// One expert, and biases of queries, keys and values but not of attention's output.
struct Qwen2: ExportedClass {
    static let name = "Qwen2ForCausalLM"
    static let modelType = "qwen2"
    static let biases: [AttentionBias] = [.qkv]

    private init() {}

    init(holding model: ModelShape, _ routing: RoutingConfiguration, profile: ExportProfile) throws(Failure) {
        guard model.isDense else {
            throw Failure(.configuration, "model.experts is \(model.experts), but a Qwen 2 has no experts")
        }
    }

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "intermediate_size": .integer(model.expertHiddenSize), "use_sliding_window": .boolean(false),
        ].merging(CommonSettings.headSize(of: model)) { $1 }
    }

    var notes: [String] { Llama.notesOfOneExpert }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let model = try CommonSettings.read(
            &keys, hiddenKey: "intermediate_size", experts: 1, expertsPerToken: 1, bias: .qkv,
            CommonSettings.Defaults(keyHeads: 32))
        try keys.require("use_sliding_window", .boolean(false), feature: "a sliding window")
        return ImportedConfiguration(Qwen2(), model, normalizesGates: false)
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model) + expertTensors("model.layers.\(layer).mlp", layer, 0, model)
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.gated(h, name)
    }
}
