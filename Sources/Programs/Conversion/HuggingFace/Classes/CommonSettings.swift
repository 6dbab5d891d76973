import JSON
import Configuration
import Diagnostics

/// What `config.json` says of a model in every class, in both directions.
enum CommonSettings {
    /// Every value that decides a logit is stated, also where a class has it by default.
    static func values(of model: ModelShape, endOfText: Int) -> [String: JSONValue] {
        [
            "hidden_size": .integer(model.dModel), "num_hidden_layers": .integer(model.layers),
            "num_attention_heads": .integer(model.attention.heads),
            "num_key_value_heads": .integer(model.attention.keyValueHeads),
            "vocab_size": .integer(model.vocabularySize), "max_position_embeddings": .integer(model.context),
            "bos_token_id": .integer(endOfText), "eos_token_id": .integer(endOfText), "hidden_act": .text("silu"),
            "torch_dtype": .text("float32"), "rms_norm_eps": .number(model.normEpsilon),
            "tie_word_embeddings": .boolean(model.tieEmbeddings),
            "attention_dropout": .number(0),
        ].merging(RotarySettings.values(of: model.rotary, context: model.context)) { $1 }
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
        /// Nil: hidden_size / num_attention_heads.
        var headSize: Int?
    }

    /// As `model` of a configuration has it: beyond it counts stop fitting into machine words somewhere.
    private static let mostParameters = 1e15

    /// `head_dim`, where it is not hidden_size / num_attention_heads: Qwen's and Baidu's configurations have no such key, but what
    /// transformers 5 computes follows it.
    static func headSize(of model: ModelShape) -> [String: JSONValue] {
        let attention = model.attention
        return attention.queryWidth == model.dModel ? [:] : ["head_dim": .integer(attention.headSize)]
    }

    /// - Parameters:
    ///   - hiddenKey: the key of an expert's hidden size
    ///   - bias: the biases of attention that the class has
    ///   - norm: which parts of queries and keys it normalizes
    /// - Throws: `data` naming a setting that asks for what our models do not compute
    static func read(
        _ keys: inout ConfigurationKeys, hiddenKey: String, experts: Int, expertsPerToken: Int,
        bias: AttentionBias = .none, norm: QueryKeyNormKind = .none, _ defaults: Defaults = Defaults()
    ) throws(Failure) -> ModelShape {
        let d = try keys.integer("hidden_size", in: 1...1 << 20)
        var attention = try readHeads(&keys, d, defaults)
        (attention.bias, attention.queryKeyNorm) = (bias, norm)
        let hidden = try keys.integer(hiddenKey, in: 1...1 << 20)
        let layers = try keys.integer("num_hidden_layers", in: 1...10_000)
        let feedForward = 3 * Double(d) * Double(hidden) * Double(experts)
        guard Double(layers) * (attention.matrixElements(dModel: d) + feedForward) < mostParameters else {
            throw keys.failure("num_hidden_layers", "× hidden_size × experts are more than 10^15 parameters")
        }
        try requireFullAttention(&keys, layers: layers)
        try keys.require("hidden_act", .text("silu"), feature: "this activation")
        try keys.require("attention_dropout", .integer(0), .number(0), feature: "dropout")
        var model = ModelShape(
            dModel: d, layers: layers, heads: attention.heads,
            context: try keys.integer("max_position_embeddings", in: 1...1 << 24),
            vocabularySize: try keys.integer("vocab_size", in: 1...largestVocabulary),
            experts: ExpertsPerLayer(experts),
            topK: expertsPerToken,
            feedForward: Double(hidden) / Double(d),
            tieEmbeddings: try keys.boolean("tie_word_embeddings", default: defaults.tiesEmbeddings),
            normEpsilon: try keys.number("rms_norm_eps", default: defaults.normEpsilon, in: 0...1))
        model.rotary = try RotarySettings.read(&keys, default: defaults.ropeBase, context: model.context)
        model.attention = attention
        return model
    }

    private static func readHeads(
        _ keys: inout ConfigurationKeys, _ d: Int, _ defaults: Defaults
    ) throws(Failure) -> AttentionConfiguration {
        let heads = try keys.integer("num_attention_heads", in: 1...10_000)
        let keyHeads = try keys.integer("num_key_value_heads", default: defaults.keyHeads ?? heads, in: 1...10_000)
        let whole = d % heads == 0 ? max(1, d / heads) : 1
        let size = try keys.integer("head_dim", default: defaults.headSize ?? whole, in: 1...1 << 20)
        guard size % 2 == 0 else {
            throw keys.failure(
                "num_attention_heads",
                "is \(heads), which does not cut \(d) into heads of an even size, and `head_dim` is none"
            )
        }
        guard heads % keyHeads == 0 else {
            throw keys.failure("num_key_value_heads", "is \(keyHeads), which does not divide the \(heads) heads")
        }
        return AttentionConfiguration(heads: heads, keyValueHeads: keyHeads, headSize: size)
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

    /// What Qwen's classes say where attention has no window.
    static let withoutWindow: [String: JSONValue] = ["use_sliding_window": .boolean(false)]

    static func requireWindowUnused(_ keys: inout ConfigurationKeys) throws(Failure) {
        try keys.require("use_sliding_window", .boolean(false), feature: "a sliding window")
    }

    private static func requireFullAttention(_ keys: inout ConfigurationKeys, layers: Int) throws(Failure) {
        guard let kinds = keys.value("layer_types") else { return }
        guard case .list(let list) = kinds, list.count == layers,
            list.allSatisfy({ $0 == .text("full_attention") })
        else { throw keys.failure("layer_types", "names something other than `full_attention` for each layer") }
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
