import Configuration
import Diagnostics
import JSON
import Tensors

/// DeepSeek-MoE of January 2024 (arXiv:2401.06066): equally many experts in every layer but some first ones, which are dense, and
/// shared experts without a gate. `transformers` has no class for it; its program is in DeepSeek's own repositories of models.
struct DeepSeekMoE: ExportedClass {
    static let name = "DeepseekForCausalLM"
    static let modelType = "deepseek"
    static let traits = ClassTraits(
        experts: .equallyMany, denseLayers: .first, biases: [.none, .all], gatesSharedExperts: false,
        sharesWholeExperts: true, hasHeadsOfModel: true, hasPlainPositions: true, leavesOneGate: true)

    private init() {}
    init(holding model: ModelShape, profile: ExportProfile) {}

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "n_routed_experts": .integer(model.expertCounts.max() ?? 1),
            "num_experts_per_tok": .integer(model.expertsPerToken),
            "moe_intermediate_size": .integer(model.expertHiddenSize),
            "intermediate_size": .integer(model.dense == .none ? model.expertHiddenSize : model.dense.hiddenSize),
            "n_shared_experts": model.shared == .none
                ? .null : .integer(model.shared.count(expertHiddenSize: model.expertHiddenSize)),
            "first_k_dense_replace": .integer(model.dense.layers.count), "moe_layer_freq": .integer(1),
            "scoring_func": .text("softmax"), "norm_topk_prob": .boolean(routing.normalizeGates),
            "attention_bias": .boolean(model.attention.bias == .all),
        ]
    }

    var notes: [String] {
        ["transformers has no class for this model: it needs DeepSeek's own program, modeling_deepseek.py, beside it"]
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let experts = try keys.integer("n_routed_experts", in: 1...65_536)
        let choices = try keys.integer("num_experts_per_tok", in: 1...experts)
        let hasBiases = try keys.boolean("attention_bias", default: false)
        var model = try CommonSettings.read(
            &keys, hiddenKey: "moe_intermediate_size", experts: experts, expertsPerToken: choices,
            bias: hasBiases ? .all : .none)
        guard model.attention.queryWidth == model.dModel else {
            throw keys.failure("head_dim", "is not hidden_size / num_attention_heads, as the class has it")
        }
        try keys.require("scoring_func", .text("softmax"), feature: "another score of experts")
        try readLayers(&keys, into: &model)
        let shared = try keys.integer("n_shared_experts", default: 0, in: 0...65_536)
        if shared > 0 { model.shared = SharedExpertsConfiguration(hiddenSize: shared * model.expertHiddenSize) }
        keys.ignore(["aux_loss_alpha", "seq_aux"])
        let normalizes = try keys.boolean("norm_topk_prob", default: false)
        // The gate of one expert is never divided by itself.
        return ImportedConfiguration(DeepSeekMoE(), model, normalizesGates: normalizes && choices > 1)
    }

    /// Layer i has experts from the first one on, if the frequency divides i.
    private static func readLayers(_ keys: inout ConfigurationKeys, into model: inout ModelShape) throws(Failure) {
        let first = try keys.integer("first_k_dense_replace", default: 0, in: 0...10_000)
        let frequency = try keys.integer("moe_layer_freq", default: 1, in: 1...1 << 30)
        let dense = (0..<model.layers).filter { $0 < first || $0 % frequency != 0 }
        try SparseLayers.readDense(&keys, Set(dense), into: &model, because: "first_k_dense_replace")
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        let attention = attentionTensors(layer, model), name = "model.layers.\(layer).mlp"
        guard model.isRouted(layer) else { return attention + denseTensors(name, layer, model) }
        return attention + routedTensors(layer, model, slots: model.expertCount(inLayer: layer))
            + sharedTensors("\(name).shared_experts", layer, model)
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.routedAndShared(h, name)
    }
}
