import JSON
import Configuration
import Diagnostics
import Foundation
import Tensors

/// Equally many experts in every layer. The class always has a shared expert, and mostly biases of queries, keys and values: where
/// a model of ours has none, both add nothing.
struct Qwen2MoE: ExportedClass {
    static let name = "Qwen2MoeForCausalLM"
    static let modelType = "qwen2_moe"
    static let biases: [AttentionBias] = [.none, .qkv]

    /// Of the shared expert.
    private let sharedHidden: Int
    /// Whether queries, keys and values have biases in the files.
    private let hasBiases: Bool

    private init(sharedHidden: Int, hasBiases: Bool) {
        self.sharedHidden = sharedHidden
        self.hasBiases = hasBiases
    }

    init(holding model: ModelShape, _ routing: RoutingConfiguration, profile: ExportProfile) throws(Failure) {
        guard model.experts.uniform != nil else {
            throw Failure(.configuration, "model.experts is \(model.experts), which a Qwen2-MoE cannot have")
        }
        self.init(
            sharedHidden: profile == .portable ? 32 : 1,
            hasBiases: profile == .portable || model.attention.bias == .qkv)
    }

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "num_experts": .integer(model.expertCount(inLayer: 0)),
            "num_experts_per_tok": .integer(model.expertsPerToken),
            "moe_intermediate_size": .integer(model.expertHiddenSize),
            "shared_expert_intermediate_size": .integer(sharedHidden),
            // Of layers without experts, of which there are none.
            "intermediate_size": .integer(model.expertHiddenSize), "decoder_sparse_step": .integer(1),
            "norm_topk_prob": .boolean(routing.normalizeGates), "qkv_bias": .boolean(hasBiases),
            "use_sliding_window": .boolean(false), "mlp_only_layers": .list([]),
        ].merging(CommonSettings.headSize(of: model)) { $1 }
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        // What the class takes where the file is silent.
        let experts = try keys.integer("num_experts", default: 60, in: 1...65_536)
        let expertsPerToken = try keys.integer("num_experts_per_tok", default: 4, in: 1...experts)
        let hasBiases = try keys.boolean("qkv_bias", default: true)
        let model = try CommonSettings.read(
            &keys, hiddenKey: "moe_intermediate_size", experts: experts, expertsPerToken: expertsPerToken,
            bias: hasBiases ? .qkv : .none, CommonSettings.Defaults(keyHeads: 16))
        try keys.require("decoder_sparse_step", .integer(1), feature: "a layer without experts")
        try keys.require("mlp_only_layers", .list([]), feature: "a layer without experts")
        try keys.require("use_sliding_window", .boolean(false), feature: "a sliding window")
        keys.ignore(["intermediate_size"])
        let shared = try keys.integer("shared_expert_intermediate_size", default: 5632, in: 0...1 << 20)
        let found = Qwen2MoE(sharedHidden: shared, hasBiases: hasBiases)
        return ImportedConfiguration(
            found, model, normalizesGates: try keys.boolean("norm_topk_prob", default: false))
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model, hasZeroBiases: hasBiases)
            + routedTensors(layer, model, slots: model.expertCount(inLayer: layer))
            + sharedExpert("model.layers.\(layer).mlp", model.dModel)
    }

    /// Without the biases that are zeros everywhere, as Switchyard writes them for a model that has none.
    func settled(_ model: ModelShape, by files: WeightFiles) throws(Failure) -> ModelShape {
        var settled = model
        if hasBiases, try biasesAreZero(model, in: files) { settled.attention.bias = .none }
        return settled
    }

    /// The class adds `sigmoid(gate·x) · shared(x)`: zeros make it nothing. The gate is ones, because llama.cpp computes a
    /// sigmoid as silu(x) / x, which at a gate of zeros is no number.
    private func sharedExpert(_ name: String, _ d: Int) -> [ClassTensor] {
        let zeros = ClassTensor.Contents.filler(.constant(0), accepting: .finite)
        return [
            ClassTensor("\(name).shared_expert.gate_proj.weight", [sharedHidden, d], zeros),
            ClassTensor("\(name).shared_expert.up_proj.weight", [sharedHidden, d], zeros),
            ClassTensor("\(name).shared_expert.down_proj.weight", [d, sharedHidden], zeros),
            ClassTensor("\(name).shared_expert_gate.weight", [1, d], .filler(.constant(1), accepting: .finite)),
        ]
    }

    /// `down(silu(gate·x) · (up·x))` is zero where one of the three is, at any input.
    func requireInert(_ model: ModelShape, in files: WeightFiles) throws(Failure) {
        guard sharedHidden > 0 else { return }
        for layer in 0..<model.layers {
            let name = "model.layers.\(layer).mlp.shared_expert"
            var addsNothing = false
            for matrix in ["down_proj", "gate_proj", "up_proj"] where !addsNothing {
                addsNothing = try files.isZero("\(name).\(matrix).weight")
            }
            guard addsNothing else {
                throw Failure(
                    .data, "\(files.directory): `\(name)` is a real one: shared experts are not supported",
                    advice: "only a shared expert whose weights are zeros, as Switchyard writes it, can be left out")
            }
        }
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        let y = try reference.routed(h, name)
        guard sharedHidden > 0 else { return y }
        let shared = try reference.gated(h, "\(name).shared_expert")
        let gate = try reference.linear(h, "\(name).shared_expert_gate.weight")
        for t in 0..<h.rows { for c in 0..<h.columns { y[t, c] += shared[t, c] / (1 + exp(-gate[t, 0])) } }
        return y
    }
}
