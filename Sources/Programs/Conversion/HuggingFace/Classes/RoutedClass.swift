import Configuration
import Diagnostics
import JSON
import Tensors

/// A class with equally many experts in every layer, `mlp.gate` and `mlp.experts`, as Qwen's and OLMoE's are.
protocol RoutedClass: ExportedClass {
    /// The key of an expert's hidden size.
    static var expertHiddenKey: String { get }
}

extension RoutedClass {
    static var expertHiddenKey: String { "moe_intermediate_size" }

    func tensors(ofLayer layer: Int, of model: ModelShape) -> [ClassTensor] {
        attentionTensors(layer, model) + routedTensors(layer, model, slots: model.expertCount(inLayer: layer))
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.routed(h, name)
    }

    /// Experts, choices and gates.
    func expertSettings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "num_experts": .integer(model.expertCount(inLayer: 0)),
            "num_experts_per_tok": .integer(model.expertsPerToken),
            Self.expertHiddenKey: .integer(model.expertHiddenSize),
            "norm_topk_prob": .boolean(routing.normalizeGates),
        ]
    }

    /// The same read, with everything of `CommonSettings`.
    /// - Parameters:
    ///   - count: experts where the file is silent
    ///   - choices: of a token, where the file is silent
    static func readRouted(
        _ keys: inout ConfigurationKeys, experts count: Int, choices: Int, bias: AttentionBias = .none,
        norm: QueryKeyNormKind = .none, _ defaults: CommonSettings.Defaults
    ) throws(Failure) -> (model: ModelShape, normalizesGates: Bool) {
        // Of Qwen3-MoE, transformers 5 writes the first, 4 the second.
        let stated = try keys.integer("num_local_experts", default: count, in: 1...65_536)
        let experts = try keys.integer("num_experts", default: stated, in: 1...65_536)
        let expertsPerToken = try keys.integer("num_experts_per_tok", default: choices, in: 1...experts)
        let model = try CommonSettings.read(
            &keys, hiddenKey: expertHiddenKey, experts: experts, expertsPerToken: expertsPerToken, bias: bias,
            norm: norm, defaults)
        return (model, try keys.boolean("norm_topk_prob", default: false))
    }
}

/// What Qwen's mixtures say of layers without experts: that there are none.
enum SparseLayers {
    static func values(of model: ModelShape) -> [String: JSONValue] {
        [
            "intermediate_size": .integer(model.expertHiddenSize), "decoder_sparse_step": .integer(1),
            "mlp_only_layers": .list([]),
        ]
    }

    static func read(_ keys: inout ConfigurationKeys) throws(Failure) {
        try keys.require("decoder_sparse_step", .integer(1), feature: "a layer without experts")
        try keys.require("mlp_only_layers", .list([]), feature: "a layer without experts")
        keys.ignore(["intermediate_size"])
    }
}
