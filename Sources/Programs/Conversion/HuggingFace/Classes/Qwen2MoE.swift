import Configuration
import Diagnostics
import Foundation
import JSON
import Tensors

/// Equally many experts in every layer. The class always has a shared expert with a gate, and mostly biases of queries, keys and
/// values: where a model of ours has none, both add nothing.
struct Qwen2MoE: RoutedClass {
    static let name = "Qwen2MoeForCausalLM"
    static let modelType = "qwen2_moe"
    static let traits = ClassTraits(
        experts: .equallyMany, denseLayers: .any, biases: [.none, .qkv], gatesSharedExperts: true)

    /// Of the shared expert in the files.
    private let sharedHidden: Int
    /// Whether queries, keys and values have biases in the files.
    private let hasBiases: Bool

    private init(sharedHidden: Int, hasBiases: Bool) {
        self.sharedHidden = sharedHidden
        self.hasBiases = hasBiases
    }

    init(holding model: ModelShape, profile: ExportProfile) {
        let neutral = profile == .portable ? 32 : 1
        self.init(
            sharedHidden: model.shared == .none ? neutral : model.shared.hiddenSize,
            hasBiases: profile == .portable || model.attention.bias == .qkv)
    }

    func settings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        expertSettings(of: model, routing).merging(SparseLayers.values(of: model)) { $1 }
            .merging(CommonSettings.withoutWindow) { $1 }
            .merging([
                "shared_expert_intermediate_size": .integer(sharedHidden), "qkv_bias": .boolean(hasBiases),
            ]) { $1 }
            .merging(CommonSettings.headSize(of: model)) { $1 }
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let hasBiases = try keys.boolean("qkv_bias", default: true)
        var (model, normalizesGates) = try readRouted(
            &keys, experts: 60, choices: 4, bias: hasBiases ? .qkv : .none, CommonSettings.Defaults(keyHeads: 16))
        try SparseLayers.read(&keys, into: &model)
        try CommonSettings.requireWindowUnused(&keys)
        let shared = try keys.integer("shared_expert_intermediate_size", default: 5632, in: 0...1 << 20)
        if shared > 0 { model.shared = SharedExpertsConfiguration(hiddenSize: shared, isGated: true) }
        let found = Qwen2MoE(sharedHidden: shared, hasBiases: hasBiases)
        return ImportedConfiguration(found, model, normalizesGates: normalizesGates)
    }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model, hasZeroBiases: hasBiases)
            + layerTensors(layer, model) + (model.isRouted(layer) ? sharedExpert(layer, model) : [])
    }

    /// Without the biases and the shared experts that are zeros everywhere, as Switchyard writes them for a model that has none.
    func settled(_ model: ModelShape, by files: WeightFiles) throws(Failure) -> ModelShape {
        var settled = model
        if hasBiases, try biasesAreZero(model, in: files) { settled.attention.bias = .none }
        if sharedHidden > 0, try sharedExpertsAddNothing(model, in: files) { settled.shared = .none }
        return settled
    }

    /// `down(silu(gate·x) · (up·x))` is zero where one of the three is, at any input.
    private func sharedExpertsAddNothing(_ model: ModelShape, in files: WeightFiles) throws(Failure) -> Bool {
        for layer in 0..<model.layers where model.isRouted(layer) {
            var addsNothing = false
            for matrix in ["down_proj", "gate_proj", "up_proj"] where !addsNothing {
                let name = "model.layers.\(layer).mlp.shared_expert.\(matrix).weight"
                guard files.tensors[name] != nil else { return false }
                addsNothing = try files.isZero(name)
            }
            guard addsNothing else { return false }
        }
        return true
    }

    private func sharedExpert(_ layer: Int, _ model: ModelShape) -> [ClassTensor] {
        let name = "model.layers.\(layer).mlp"
        guard model.shared != .none else { return neutralExpert(name, model.dModel) }
        let gate = ClassTensor(
            "\(name).shared_expert_gate.weight", [1, model.dModel],
            .transposed("blocks.\(layer).shared_gate", expert: nil, columns: 0..<1))
        return sharedTensors("\(name).shared_expert", layer, model) + [gate]
    }

    /// The class adds `sigmoid(gate·x) · shared(x)`: zeros make it nothing. The gate is ones, because llama.cpp computes a
    /// sigmoid as silu(x) / x, which at a gate of zeros is no number.
    private func neutralExpert(_ name: String, _ d: Int) -> [ClassTensor] {
        let zeros = ClassTensor.Contents.filler(.constant(0), accepting: .finite)
        return [
            ClassTensor("\(name).shared_expert.gate_proj.weight", [sharedHidden, d], zeros),
            ClassTensor("\(name).shared_expert.up_proj.weight", [sharedHidden, d], zeros),
            ClassTensor("\(name).shared_expert.down_proj.weight", [d, sharedHidden], zeros),
            ClassTensor("\(name).shared_expert_gate.weight", [1, d], .filler(.constant(1), accepting: .finite)),
        ]
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        guard reference.hasRouter(name) else { return try reference.gated(h, name) }
        let y = try reference.routed(h, name)
        guard sharedHidden > 0 else { return y }
        let shared = try reference.gated(h, "\(name).shared_expert")
        let gate = try reference.linear(h, "\(name).shared_expert_gate.weight")
        for t in 0..<h.rows { for c in 0..<h.columns { y[t, c] += shared[t, c] / (1 + exp(-gate[t, 0])) } }
        return y
    }
}
