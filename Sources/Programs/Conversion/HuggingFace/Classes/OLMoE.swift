import JSON
import Configuration
import Diagnostics
import Tensors

/// Equally many experts in every layer, and queries and keys that are normalized as wholes.
struct OLMoE: ExportedClass {
    static let name = "OlmoeForCausalLM"
    static let modelType = "olmoe"
    static let biases: [AttentionBias] = [.none, .all]
    static let queryKeyNorm = QueryKeyNormKind.all

    private init() {}

    init(holding model: ModelShape, _ routing: RoutingConfiguration, profile: ExportProfile) throws(Failure) {
        guard model.experts.uniform != nil else {
            throw Failure(.configuration, "model.experts is \(model.experts), which an OLMoE cannot have")
        }
        // The class's norm of queries has hidden_size numbers.
        guard model.attention.queryWidth == model.dModel else {
            throw Failure(
                .configuration,
                "model.heads × model.head_size is \(model.attention.queryWidth), but an OLMoE has heads of "
                    + "d_model / heads")
        }
    }

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "num_experts": .integer(model.expertCount(inLayer: 0)),
            "num_experts_per_tok": .integer(model.expertsPerToken),
            "intermediate_size": .integer(model.expertHiddenSize),
            "norm_topk_prob": .boolean(routing.normalizeGates), "clip_qkv": .null,
            "attention_bias": .boolean(model.attention.bias == .all),
            // The class would take tokens of its own vocabulary.
            "pad_token_id": .null,
        ]
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let experts = try keys.integer("num_experts", default: 64, in: 1...65_536)
        let expertsPerToken = try keys.integer("num_experts_per_tok", default: 8, in: 1...experts)
        let hasBiases = try keys.boolean("attention_bias", default: false)
        let model = try CommonSettings.read(
            &keys, hiddenKey: "intermediate_size", experts: experts, expertsPerToken: expertsPerToken,
            bias: hasBiases ? .all : .none, norm: .all, CommonSettings.Defaults(normEpsilon: 1e-5))
        guard model.attention.queryWidth == model.dModel else {
            throw keys.failure("head_dim", "is not hidden_size / num_attention_heads, as the class's norms need it")
        }
        if let bound = keys.value("clip_qkv") {
            throw keys.failure("clip_qkv", "is \(bound.inWords): clipping queries, keys and values is not supported")
        }
        return ImportedConfiguration(
            OLMoE(), model, normalizesGates: try keys.boolean("norm_topk_prob", default: false))
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model) + routedTensors(layer, model, slots: model.expertCount(inLayer: layer))
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.routed(h, name)
    }
}
