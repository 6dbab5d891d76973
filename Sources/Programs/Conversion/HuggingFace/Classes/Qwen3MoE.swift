import JSON
import Configuration
import Diagnostics
import Tensors

/// Equally many experts in every layer, and heads of queries and keys that are normalized.
struct Qwen3MoE: ExportedClass {
    static let name = "Qwen3MoeForCausalLM"
    static let modelType = "qwen3_moe"
    static let biases: [AttentionBias] = [.none, .all]
    static let queryKeyNorm = QueryKeyNormKind.head

    private init() {}

    init(holding model: ModelShape, _ routing: RoutingConfiguration, profile: ExportProfile) throws(Failure) {
        guard model.experts.uniform != nil else {
            throw Failure(.configuration, "model.experts is \(model.experts), which a Qwen3-MoE cannot have")
        }
    }

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "num_experts": .integer(model.expertCount(inLayer: 0)),
            "num_experts_per_tok": .integer(model.expertsPerToken),
            "moe_intermediate_size": .integer(model.expertHiddenSize),
            // Of layers without experts, of which there are none.
            "intermediate_size": .integer(model.expertHiddenSize), "decoder_sparse_step": .integer(1),
            "mlp_only_layers": .list([]), "norm_topk_prob": .boolean(routing.normalizeGates),
            "use_sliding_window": .boolean(false), "head_dim": .integer(model.attention.headSize),
            "attention_bias": .boolean(model.attention.bias == .all),
        ]
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        // transformers 5 writes the first, 4 the second.
        let stated = try keys.integer("num_local_experts", default: 128, in: 1...65_536)
        let experts = try keys.integer("num_experts", default: stated, in: 1...65_536)
        let expertsPerToken = try keys.integer("num_experts_per_tok", default: 8, in: 1...experts)
        let hasBiases = try keys.boolean("attention_bias", default: false)
        let model = try CommonSettings.read(
            &keys, hiddenKey: "moe_intermediate_size", experts: experts, expertsPerToken: expertsPerToken,
            bias: hasBiases ? .all : .none, norm: .head, CommonSettings.Defaults(keyHeads: 4))
        try keys.require("decoder_sparse_step", .integer(1), feature: "a layer without experts")
        try keys.require("mlp_only_layers", .list([]), feature: "a layer without experts")
        try keys.require("use_sliding_window", .boolean(false), feature: "a sliding window")
        keys.ignore(["intermediate_size"])
        return ImportedConfiguration(
            Qwen3MoE(), model, normalizesGates: try keys.boolean("norm_topk_prob", default: false))
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model) + routedTensors(layer, model, slots: model.expertCount(inLayer: layer))
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.routed(h, name)
    }
}
