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
        attentionTensors(layer, model) + layerTensors(layer, model)
    }

    /// Router and experts, or the feed-forward of a dense layer.
    func layerTensors(_ layer: Int, _ model: ModelShape) -> [ClassTensor] {
        model.isRouted(layer)
            ? routedTensors(layer, model, slots: model.expertCount(inLayer: layer))
            : denseTensors("model.layers.\(layer).mlp", layer, model)
    }

    func feedForward(_ h: Tensor, _ name: String, in reference: ReferenceForward) throws(Failure) -> Tensor {
        try reference.hasRouter(name) ? reference.routed(h, name) : reference.gated(h, name)
    }

    /// Experts, choices and gates.
    func expertSettings(of model: ModelShape, _ routing: RoutingConfiguration) -> [String: JSONValue] {
        [
            "num_experts": .integer(model.expertCounts.max() ?? 1),
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

/// What Qwen's mixtures say of layers without experts.
enum SparseLayers {
    static func values(of model: ModelShape) -> [String: JSONValue] {
        [
            // Of layers without experts, also where there are none.
            "intermediate_size": .integer(model.dense == .none ? model.expertHiddenSize : model.dense.hiddenSize),
            "decoder_sparse_step": .integer(1),
            "mlp_only_layers": .list(model.dense.layers.sorted().map { .integer($0) }),
        ]
    }

    /// Layer i has experts if it is not one of `mlp_only_layers` and `decoder_sparse_step` divides i + 1.
    static func read(_ keys: inout ConfigurationKeys, into model: inout ModelShape) throws(Failure) {
        let step = try keys.integer("decoder_sparse_step", default: 1, in: 1...1 << 30)
        let only = Set(try keys.integers("mlp_only_layers"))
        let dense = (0..<model.layers).filter { only.contains($0) || ($0 + 1) % step != 0 }
        try readDense(&keys, Set(dense), into: &model, because: "decoder_sparse_step")
    }

    /// - Parameter key: the one to name if no layer has experts
    static func readDense(
        _ keys: inout ConfigurationKeys, _ dense: Set<Int>, into model: inout ModelShape, because key: String
    ) throws(Failure) {
        guard dense.count < model.layers else {
            throw keys.failure(key, "leaves no layer with experts: such a model is not supported")
        }
        guard !dense.isEmpty else { return keys.ignore(["intermediate_size"]) }
        model.dense = DenseLayersConfiguration(
            dense, hiddenSize: try keys.integer("intermediate_size", in: 1...1 << 20))
    }
}
