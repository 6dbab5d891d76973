import JSON
import Configuration
import Diagnostics

/// What `config.json` says of a model in every class, in both directions.
enum CommonSettings {
    /// Every value that decides a logit is stated, also where a class has it by default.
    static func values(of model: ModelShape, endOfText: Int) -> [String: JSONValue] {
        [
            "hidden_size": .integer(model.dModel), "num_hidden_layers": .integer(model.layers),
            "num_attention_heads": .integer(model.heads), "num_key_value_heads": .integer(model.heads),
            "vocab_size": .integer(model.vocabularySize), "max_position_embeddings": .integer(model.context),
            "bos_token_id": .integer(endOfText), "eos_token_id": .integer(endOfText), "hidden_act": .text("silu"),
            "torch_dtype": .text("float32"), "rms_norm_eps": .number(model.normEpsilon),
            "rope_theta": .number(model.ropeBase), "tie_word_embeddings": .boolean(model.tieEmbeddings),
            "attention_dropout": .number(0),
        ]
    }

    /// What concerns training elsewhere, generation or bookkeeping.
    static let withoutEffect = [
        "architectures", "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id", "dtype",
        "torch_dtype", "initializer_range", "max_window_layers", "output_router_logits", "router_aux_loss_coef",
        "router_jitter_noise", "transformers_version", "use_cache", "sliding_window", "_name_or_path",
        "pretraining_tp", "auto_map", "tokenizer_class", "attn_implementation", "_attn_implementation",
        "_attn_implementation_autoset", "return_dict", "output_attentions", "output_hidden_states", "torchscript",
        "id2label", "label2id", "problem_type", "finetuning_task", "task_specific_params", "max_length", "min_length",
        "do_sample", "temperature", "top_k", "top_p", "typical_p", "num_beams", "repetition_penalty",
        "length_penalty", "num_return_sequences", "chunk_size_feed_forward", "unsloth_version", "unsloth_fixed",
    ]

    /// What a class takes where the file is silent.
    struct Defaults {
        var tiesEmbeddings = false
        var normEpsilon = 1e-6
        var ropeBase = 10_000.0
        /// Nil: as many as heads.
        var keyHeads: Int?
    }

    /// As `model` of a configuration has it: beyond it counts stop fitting into machine words somewhere.
    private static let mostParameters = 1e15

    /// - Parameter hiddenKey: the key of an expert's hidden size
    /// - Throws: `data` naming a setting that asks for what our models do not compute
    static func read(
        _ keys: inout ConfigurationKeys, hiddenKey: String, experts: Int, expertsPerToken: Int,
        _ defaults: Defaults = Defaults()
    ) throws(Failure) -> ModelShape {
        let d = try keys.integer("hidden_size", in: 1...1 << 20), heads = try readHeads(&keys, d, defaults)
        let hidden = try keys.integer(hiddenKey, in: 1...1 << 20)
        let layers = try keys.integer("num_hidden_layers", in: 1...10_000)
        guard Double(layers) * Double(d) * (4 * Double(d) + 3 * Double(hidden) * Double(experts)) < mostParameters
        else { throw keys.failure("num_hidden_layers", "× hidden_size × experts are more than 10^15 parameters") }
        try requireFullAttention(&keys, layers: layers)
        try keys.require("hidden_act", .text("silu"), feature: "this activation")
        try keys.require("attention_dropout", .integer(0), .number(0), feature: "dropout")
        return ModelShape(
            dModel: d, layers: layers, heads: heads,
            context: try keys.integer("max_position_embeddings", in: 1...1 << 24),
            vocabularySize: try keys.integer("vocab_size", in: 1...largestVocabulary),
            experts: ExpertsPerLayer(experts),
            topK: expertsPerToken,
            feedForward: Double(hidden) / Double(d),
            tieEmbeddings: try keys.boolean("tie_word_embeddings", default: defaults.tiesEmbeddings),
            normEpsilon: try keys.number("rms_norm_eps", default: defaults.normEpsilon, in: 0...1),
            ropeBase: try rotaryBase(&keys, default: defaults.ropeBase))
    }

    private static func readHeads(
        _ keys: inout ConfigurationKeys, _ d: Int, _ defaults: Defaults
    ) throws(Failure) -> Int {
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
        return heads
    }

    /// - Parameter fallback: the window where the file is silent; nil: none
    /// - Throws: `data` for a window that a text of the model's context does not fit into
    static func requireNoWindow(
        _ keys: inout ConfigurationKeys, default fallback: Int?, context: Int
    ) throws(Failure) {
        let isNull = keys.isNull("sliding_window")
        let window = try keys.integer("sliding_window", default: fallback ?? context, in: 1...1 << 40)
        guard !isNull, window < context else { return }
        throw keys.failure(
            "sliding_window", "is \(window) for texts of up to \(context) tokens: a sliding window is not supported")
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

/// `generation_config.json`: where a text begins and ends.
struct GenerationConfiguration: Encodable {
    var bos_token_id: Int
    var eos_token_id: Int
    var pad_token_id: Int
    var do_sample = true

    init(endOfText: Int) {
        bos_token_id = endOfText
        eos_token_id = endOfText
        pad_token_id = endOfText
    }
}
