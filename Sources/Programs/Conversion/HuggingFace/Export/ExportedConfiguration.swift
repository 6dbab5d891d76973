import Configuration
import Tokenizers

/// `config.json` of an export. Every value that decides a logit is stated, also where the class has it by default.
struct ExportedConfiguration: Encodable {
    private let model: ModelConfiguration
    private let modelClass: ModelClass
    private let normalizesGates: Bool
    private let endOfText: Int

    init(
        _ model: ModelConfiguration, _ routing: RoutingConfiguration, as modelClass: ModelClass,
        _ tokenizer: any Tokenizer
    ) {
        self.model = model
        self.modelClass = modelClass
        normalizesGates = routing.normalizeGates
        endOfText = tokenizer.endOfText
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { return nil }
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try encodeShape(into: &values)
        try values.encode([modelClass.name], forKey: Key("architectures"))
        try values.encode(modelClass.type, forKey: Key("model_type"))
        switch modelClass {
        case .llama:
            try values.encode(model.expertHiddenSize, forKey: Key("intermediate_size"))
            try values.encode(model.headSize, forKey: Key("head_dim"))
            for name in ["attention_bias", "mlp_bias"] { try values.encode(false, forKey: Key(name)) }
        case .qwen2Moe(let profile): try encodeExperts(profile, into: &values)
        case .ernie45Moe: try encodeFilledUpExperts(into: &values)
        }
    }

    private func encodeShape(into values: inout KeyedEncodingContainer<Key>) throws {
        let numbers = [
            "hidden_size": model.dModel, "num_hidden_layers": model.layers, "num_attention_heads": model.heads,
            "num_key_value_heads": model.heads, "vocab_size": model.vocabularySize,
            "max_position_embeddings": model.context, "bos_token_id": endOfText, "eos_token_id": endOfText,
        ]
        for (name, value) in numbers { try values.encode(value, forKey: Key(name)) }
        try values.encode("silu", forKey: Key("hidden_act"))
        try values.encode("float32", forKey: Key("torch_dtype"))
        try values.encode(model.normEpsilon, forKey: Key("rms_norm_eps"))
        try values.encode(model.ropeBase, forKey: Key("rope_theta"))
        try values.encode(model.tieEmbeddings, forKey: Key("tie_word_embeddings"))
        try values.encode(0.0, forKey: Key("attention_dropout"))
    }

    private func encodeExperts(
        _ profile: ExportProfile, into values: inout KeyedEncodingContainer<Key>
    ) throws {
        let numbers = [
            "num_experts": model.expertCount(inLayer: 0), "num_experts_per_tok": model.expertsPerToken,
            "moe_intermediate_size": model.expertHiddenSize, "shared_expert_intermediate_size": profile.sharedHidden,
            // Of layers without experts, of which there are none.
            "intermediate_size": model.expertHiddenSize, "decoder_sparse_step": 1,
        ]
        for (name, value) in numbers { try values.encode(value, forKey: Key(name)) }
        try values.encode(normalizesGates, forKey: Key("norm_topk_prob"))
        try values.encode(profile.hasBiases, forKey: Key("qkv_bias"))
        try values.encode(false, forKey: Key("use_sliding_window"))
        try values.encode([Int](), forKey: Key("mlp_only_layers"))
    }

    private func encodeFilledUpExperts(into values: inout KeyedEncodingContainer<Key>) throws {
        let numbers = [
            "moe_num_experts": model.expertCounts.max() ?? 1, "moe_k": model.expertsPerToken,
            "moe_intermediate_size": model.expertHiddenSize, "intermediate_size": model.expertHiddenSize,
            "moe_num_shared_experts": 0, "moe_layer_start_index": 0, "moe_layer_end_index": model.layers - 1,
            "moe_layer_interval": 1,
        ]
        for (name, value) in numbers { try values.encode(value, forKey: Key(name)) }
        try values.encode(1e-12, forKey: Key("moe_norm_min"))
        try values.encode(false, forKey: Key("use_bias"))
        // The class would take token 0.
        try values.encodeNil(forKey: Key("pad_token_id"))
    }
}

/// `generation_config.json`: where a text begins and ends.
struct GenerationConfiguration: Encodable {
    var bos_token_id: Int
    var eos_token_id: Int
    var pad_token_id: Int
    var do_sample = true

    init(_ tokenizer: any Tokenizer) {
        bos_token_id = tokenizer.endOfText
        eos_token_id = tokenizer.endOfText
        pad_token_id = tokenizer.endOfText
    }
}
