package import Configuration
package import Diagnostics
import Model

/// A `config.json` that describes a model of ours, whole: whatever else it asks for is refused by name.
package struct ImportedConfiguration: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case llama
        /// - Parameter sharedHidden: of the shared expert that the class always has
        case qwen2Moe(sharedHidden: Int, hasBiases: Bool)
        /// - Parameter slots: experts of every layer, those included that are never chosen
        case ernie45Moe(slots: Int)
    }

    package var kind: Kind
    package var model: ModelConfiguration
    package var normalizesGates: Bool

    /// No such file is longer.
    static let limit = 1 << 20

    init(directory: String) throws(Failure) {
        let path = "\(directory)/config.json"
        try self.init(json: try JSONFile.read(path, limit: Self.limit), path: path)
    }

    package init(json: [UInt8], path: String) throws(Failure) {
        let values = try JSONFile.decode(json, as: [String: JSONValue].self, from: path)
        var keys = ConfigurationKeys(values, path: path)
        let name = try keys.text("model_type")
        switch name {
        case "llama": self = try Self.llama(&keys)
        case "qwen2_moe": self = try Self.qwen2Moe(&keys)
        case "ernie4_5_moe": self = try Self.ernie45Moe(&keys)
        default:
            throw Failure(
                .data, "\(path): models of type `\(name.prefix(80))` are not supported",
                advice:
                    "llama, qwen2_moe and ernie4_5_moe hold what Switchyard's models compute; others normalize, gate or attend "
                    + "in another way")
        }
        keys.ignore(Self.withoutEffect)
        try keys.refuseOthers()
    }

    /// What concerns training elsewhere, generation or bookkeeping.
    private static let withoutEffect = [
        "architectures", "bos_token_id", "eos_token_id", "pad_token_id", "dtype", "torch_dtype", "initializer_range",
        "max_window_layers", "output_router_logits", "router_aux_loss_coef", "transformers_version", "use_cache",
        "sliding_window", "_name_or_path", "pretraining_tp",
    ]

    private static func llama(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let model = try shape(&keys, hiddenKey: "intermediate_size", experts: 1, expertsPerToken: 1)
        for key in ["attention_bias", "mlp_bias"] { try keys.require(key, .boolean(false), feature: "a bias") }
        return ImportedConfiguration(kind: .llama, model: model, normalizesGates: false)
    }

    private static func qwen2Moe(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        // What the class takes where the file is silent.
        let experts = try keys.integer("num_experts", default: 60, in: 1...65_536)
        let expertsPerToken = try keys.integer("num_experts_per_tok", default: 4, in: 1...experts)
        let model = try shape(
            &keys, hiddenKey: "moe_intermediate_size", experts: experts, expertsPerToken: expertsPerToken)
        try keys.require("decoder_sparse_step", .integer(1), feature: "a layer without experts")
        try keys.require("mlp_only_layers", .list([]), feature: "a layer without experts")
        try keys.require("use_sliding_window", .boolean(false), feature: "a sliding window")
        keys.ignore(["intermediate_size"])
        let shared = try keys.integer("shared_expert_intermediate_size", default: 5632, in: 0...1 << 20)
        let hasBiases = try keys.boolean("qkv_bias", default: true)
        return ImportedConfiguration(
            kind: .qwen2Moe(sharedHidden: shared, hasBiases: hasBiases), model: model,
            normalizesGates: try keys.boolean("norm_topk_prob", default: false))
    }

    private static func ernie45Moe(_ keys: inout ConfigurationKeys) throws(Failure) -> ImportedConfiguration {
        let slots = try keys.integer("moe_num_experts", default: 64, in: 1...65_536)
        let expertsPerToken = try keys.integer("moe_k", default: 6, in: 1...slots)
        let model = try shape(
            &keys, hiddenKey: "moe_intermediate_size", experts: slots, expertsPerToken: expertsPerToken,
            Defaults(tiesEmbeddings: true, normEpsilon: 1e-5, ropeBase: 500_000, keyHeads: 4))
        let last = try keys.integer("moe_layer_end_index", default: -1, in: -1...10_000)
        let first = try keys.integer("moe_layer_start_index", default: 1, in: 0...10_000)
        guard first == 0, last == -1 || last == model.layers - 1 else {
            throw keys.failure(
                "moe_layer_start_index",
                "and `moe_layer_end_index` are \(first) and \(last): a layer without experts is "
                    + "not supported")
        }
        try keys.require("moe_layer_interval", .integer(1), feature: "a layer without experts")
        guard try keys.integer("moe_num_shared_experts", default: 2, in: 0...65_536) == 0 else {
            throw keys.failure("moe_num_shared_experts", "is not 0: a shared expert is not supported")
        }
        try keys.require("use_bias", .boolean(false), feature: "a bias")
        // The most probable expert alone has more than 1/slots: so little is never reached.
        _ = try keys.number("moe_norm_min", default: 1e-12, in: 0...1e-6)
        keys.ignore(["intermediate_size"])
        return ImportedConfiguration(kind: .ernie45Moe(slots: slots), model: model, normalizesGates: true)
    }

    private init(kind: Kind, model: ModelConfiguration, normalizesGates: Bool) {
        self.kind = kind
        self.model = model
        self.normalizesGates = normalizesGates
    }

    /// As `model` of a configuration has it: beyond it counts stop fitting into machine words somewhere.
    private static let mostParameters = 1e15

    /// What a class takes where the file is silent.
    private struct Defaults {
        var tiesEmbeddings = false
        var normEpsilon = 1e-6
        var ropeBase = 10_000.0
        /// Nil: as many as heads.
        var keyHeads: Int?
    }

    private static func shape(
        _ keys: inout ConfigurationKeys, hiddenKey: String, experts: Int, expertsPerToken: Int,
        _ defaults: Defaults = Defaults()
    ) throws(Failure) -> ModelConfiguration {
        let d = try keys.integer("hidden_size", in: 1...1 << 20)
        let heads = try keys.integer("num_attention_heads", in: 1...10_000)
        guard d % heads == 0, d / heads % 2 == 0 else {
            throw keys.failure("num_attention_heads", "is \(heads), which does not cut \(d) into heads of an even size")
        }
        let keyHeads = try keys.integer("num_key_value_heads", default: defaults.keyHeads ?? heads, in: 1...10_000)
        guard keyHeads == heads else {
            throw keys.failure(
                "num_key_value_heads", "is \(keyHeads) for \(heads) heads: grouped-query attention is not supported")
        }
        guard try keys.integer("head_dim", default: d / heads, in: 1...1 << 20) == d / heads else {
            throw keys.failure("head_dim", "is not hidden_size / num_attention_heads = \(d / heads)")
        }
        let hidden = try keys.integer(hiddenKey, in: 1...1 << 20)
        let layers = try keys.integer("num_hidden_layers", in: 1...10_000)
        guard Double(layers) * Double(d) * (4 * Double(d) + 3 * Double(hidden) * Double(experts)) < mostParameters
        else {
            throw keys.failure(
                "num_hidden_layers", "× hidden_size × experts are more than 10^15 parameters")
        }
        try requireFullAttention(&keys, layers: layers)
        try keys.require("hidden_act", .text("silu"), feature: "this activation")
        try keys.require("attention_dropout", .integer(0), .number(0), feature: "dropout")
        return ModelConfiguration(
            dModel: d, layers: layers, heads: heads,
            context: try keys.integer("max_position_embeddings", in: 1...1 << 24),
            vocabularySize: try keys.integer("vocab_size", in: 1...65_536), experts: ExpertsPerLayer(experts),
            topK: expertsPerToken,
            feedForward: Double(hidden) / Double(d),
            tieEmbeddings: try keys.boolean("tie_word_embeddings", default: defaults.tiesEmbeddings),
            normEpsilon: try keys.number("rms_norm_eps", default: defaults.normEpsilon, in: 0...1),
            ropeBase: try rotaryBase(&keys, default: defaults.ropeBase))
    }

    private static func requireFullAttention(_ keys: inout ConfigurationKeys, layers: Int) throws(Failure) {
        guard let kinds = keys.value("layer_types") else { return }
        guard case .list(let list) = kinds, list.count == layers,
            list.allSatisfy({ $0 == .text("full_attention") })
        else { throw keys.failure("layer_types", "names something other than `full_attention` for each layer") }
    }

    /// At the top of the file up to transformers 4, in `rope_parameters` from 5 on.
    private static func rotaryBase(
        _ keys: inout ConfigurationKeys, default fallback: Double
    ) throws(Failure) -> Double {
        let range = 1.0...1e12
        var base = try keys.number("rope_theta", default: fallback, in: range)
        for key in ["rope_parameters", "rope_scaling"] {
            guard var part = try keys.part(key) else { continue }
            for name in ["rope_type", "type"] {
                try part.require(name, .text("default"), feature: "this scaling of positions")
            }
            base = try part.number("rope_theta", default: base, in: range)
            try part.require("partial_rotary_factor", .integer(1), .number(1), feature: "turning a part of a head")
            try part.refuseOthers()
        }
        return base
    }
}
