import Configuration
import Conversion
import Foundation
import Testing

struct ImportedConfigurationTests {
    /// As transformers 4 writes it.
    static let mixture = #"""
        {"architectures": ["Qwen2MoeForCausalLM"], "model_type": "qwen2_moe", "hidden_act": "silu", "hidden_size": 48,
         "intermediate_size": 5632, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4,
         "num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 40, "norm_topk_prob": true,
         "shared_expert_intermediate_size": 0, "decoder_sparse_step": 1, "mlp_only_layers": [], "qkv_bias": false,
         "max_position_embeddings": 64, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "rope_scaling": null,
         "sliding_window": 4096, "use_sliding_window": false, "tie_word_embeddings": false, "vocab_size": 300,
         "attention_dropout": 0.0, "router_aux_loss_coef": 0.001, "torch_dtype": "bfloat16", "use_cache": true}
        """#

    private func read(_ json: String) throws -> ImportedConfiguration {
        try ImportedConfiguration(json: Array(json.utf8), path: "config.json")
    }

    @Test func everySettingArrives() throws {
        let found = try read(Self.mixture)
        #expect(found.className == "Qwen2MoeForCausalLM" && found.normalizesGates)
        let model = found.model
        #expect(model.dModel == 48 && model.layers == 2 && model.attention.heads == 4 && model.context == 64)
        #expect(model.expertCounts == [6, 6] && model.expertsPerToken == 2 && model.expertHiddenSize == 40)
        #expect(model.normEpsilon == 1e-6 && model.rotary.base == 1e6 && !model.tieEmbeddings && model.norm == .rms)
        #expect(model.vocabularySize == 300)
    }

    @Test func positionsAreFoundWhereTransformersFiveWritesThem() throws {
        let json = Self.mixture.replacing(
            #""rope_theta": 1000000.0, "rope_scaling": null"#,
            with: #""rope_parameters": {"rope_theta": 500.0, "rope_type": "default"}"#)
        #expect(try read(json).model.rotary.base == 500)
    }

    @Test(arguments: [
        (#""model_type": "qwen2_moe""#, #""model_type": "phimoe""#, "`phimoe` are not supported"),
        (#""num_key_value_heads": 4"#, #""num_key_value_heads": 3"#, "is 3, which does not divide the 4 heads"),
        (#""num_attention_heads": 4"#, #""num_attention_heads": 5"#, "heads of an even size"),
        (#""hidden_act": "silu""#, #""hidden_act": "gelu""#, "this activation is not supported"),
        (#""use_sliding_window": false"#, #""use_sliding_window": true"#, "a sliding window is not supported"),
        (#""mlp_only_layers": []"#, #""mlp_only_layers": [0, 1]"#, "leaves no layer with experts"),
        (#""mlp_only_layers": []"#, #""mlp_only_layers": [0.5]"#, "has 0.5; whole numbers were expected"),
        (#""decoder_sparse_step": 1"#, #""decoder_sparse_step": 3"#, "leaves no layer with experts"),
        (#""decoder_sparse_step": 1"#, #""decoder_sparse_step": 0"#, "`decoder_sparse_step` is 0"),
        (#""rope_scaling": null"#, #""rope_scaling": {"type": "longrope", "factor": 2.0}"#, "scaling of positions"),
        (#""rope_scaling": null"#, #""rope_scaling": {"type": "linear"}"#, "`rope_scaling.factor` is missing"),
        (
            #""rope_scaling": null"#, #""rope_scaling": {"type": "yarn", "factor": 2, "mscale": 0.7}"#,
            "`rope_scaling.mscale` is given"
        ),
        (
            #""rope_scaling": null"#, #""rope_scaling": {"rope_type": "yarn", "factor": 2, "attention_factor": 1.5}"#,
            "`rope_scaling.attention_factor` is 1.5: a setting that is not known"
        ),
        (
            #""use_cache": true"#, #""quantization_config": {"bits": 4}"#,
            "`quantization_config` is an object: a setting"
        ),
        (#""use_cache": true"#, #""logit_scale": 2.5"#, "`logit_scale` is 2.5: a setting that is not known"),
        (#""use_cache": true"#, #""layer_types": ["full_attention", "sliding_attention"]"#, "`layer_types`"),
        (#""vocab_size": 300"#, #""vocab_size": 2147483648"#, "`vocab_size` is 2147483648; 1 to 2147483647"),
        (#""hidden_size": 48"#, #""hidden_size": "wide""#, #"`hidden_size` is "wide"; a whole number was expected"#),
        (#""hidden_size": 48,"#, "", "`hidden_size` is missing"),
        (#""num_experts_per_tok": 2"#, #""num_experts_per_tok": 7"#, "`num_experts_per_tok` is 7; 1 to 6"),
        (#""hidden_size": 48"#, #""hidden_size": 48, "hidden_size": 64"#, "stands twice"),
        (#""attention_dropout": 0.0"#, #""attention_dropout": 0.1"#, "dropout is not supported"),
        (#""use_cache": true}"#, #""use_cache": true"#, "config.json"),

    ]) func whatIsNotSupportedIsNamed(old: String, new: String, words: String) throws {
        try #require(Self.mixture.contains(old))
        let message = refusal { _ = try read(Self.mixture.replacing(old, with: new)) }
        #expect(message?.contains(words) == true, "\(message ?? "accepted")")
    }

    /// As transformers 4 writes them, but small.
    static let dense = #"""
        {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "hidden_size": 32, "intermediate_size": 48,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4, "rms_norm_eps": 1e-05,
         "max_position_embeddings": 64, "sliding_window": null, "vocab_size": 300}
        """#
    static let mixtral = #"""
        {"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "hidden_size": 32, "intermediate_size": 48,
         "num_hidden_layers": 2, "num_attention_heads": 8, "max_position_embeddings": 64, "num_local_experts": 4,
         "router_jitter_noise": 0.01, "sliding_window": null, "vocab_size": 300}
        """#

    @Test func modelsOfMistralArriveWithTheDefaultsOfTheirClasses() throws {
        let llama = try read(Self.dense), mixture = try read(Self.mixtral)
        #expect(llama.className == "MistralForCausalLM" && llama.model.isDense && llama.model.rotary.base == 10_000)
        #expect(mixture.className == "MixtralForCausalLM" && mixture.normalizesGates)
        #expect(mixture.model.expertCounts == [4, 4] && mixture.model.expertsPerToken == 2)
        #expect(
            mixture.model.normEpsilon == 1e-5 && mixture.model.rotary.base == 1e6 && mixture.model.attention.heads == 8)
    }

    @Test(arguments: [
        (dense, #""sliding_window": null"#, #""sliding_window": 64"#, nil),
        (dense, #""sliding_window": null"#, #""sliding_window": 63"#, "is 63 for texts of up to 64 tokens"),
        (dense, #""sliding_window": null,"#, "", nil),
        (
            dense, #""max_position_embeddings": 64, "sliding_window": null"#, #""max_position_embeddings": 8192"#,
            "is 4096"
        ),
        (dense, #""num_key_value_heads": 4,"#, "", "is 8, which does not divide the 4 heads"),
        (mixtral, #""num_attention_heads": 8"#, #""num_attention_heads": 16"#, nil),
        (
            mixtral, #""num_attention_heads": 8"#, #""num_attention_heads": 4"#,
            "is 8, which does not divide the 4 heads"
        ),
        (mixtral, #""sliding_window": null"#, #""sliding_window": 16"#, "is 16 for texts of up to 64 tokens"),
        (mixtral, #""max_position_embeddings": 64, "#, #""max_position_embeddings": 32768, "#, nil),
    ])
    func aWindowMattersIfItIsShorter(_ json: String, old: String, new: String, words: String?) throws {
        try #require(json.contains(old))
        let message = refusal { _ = try read(json.replacing(old, with: new)) }
        #expect(words == nil ? message == nil : message?.contains(words!) == true, "\(message ?? "accepted")")
    }

    /// As transformers 5 writes it.
    static let filledUp = #"""
        {"architectures": ["Ernie4_5_MoeForCausalLM"], "dtype": "float32", "hidden_act": "silu", "hidden_size": 32,
         "intermediate_size": 16, "max_position_embeddings": 64, "model_type": "ernie4_5_moe", "vocab_size": 64,
         "moe_intermediate_size": 16, "moe_k": 2, "moe_layer_end_index": 1, "moe_layer_interval": 1,
         "moe_layer_start_index": 0, "moe_norm_min": 1e-12, "moe_num_experts": 4, "moe_num_shared_experts": 0,
         "num_attention_heads": 2, "num_hidden_layers": 2, "num_key_value_heads": 2, "pad_token_id": 0,
         "rms_norm_eps": 1e-05, "rope_parameters": {"rope_theta": 500000.0, "rope_type": "default"},
         "tie_word_embeddings": false, "use_bias": false, "use_cache": true}
        """#

    @Test func aFilledUpModelArrives() throws {
        let found = try read(Self.filledUp)
        #expect(found.className == "Ernie4_5_MoeForCausalLM" && found.normalizesGates)
        #expect(found.model.expertCounts == [4, 4] && found.model.expertsPerToken == 2)
        #expect(found.model.expertHiddenSize == 16 && found.model.rotary.base == 500_000 && !found.model.tieEmbeddings)
    }

    @Test(arguments: [
        (#""moe_layer_start_index": 0,"#, #""moe_layer_start_index": 2,"#, "leaves no layer with experts"),
        (#""moe_layer_interval": 1"#, #""moe_layer_interval": 3"#, "leaves no layer with experts"),
        (#""use_bias": false"#, #""use_bias": true"#, "a bias is not supported"),
        (#""moe_norm_min": 1e-12"#, #""moe_norm_min": 0.5"#, "`moe_norm_min` is 0.5"),
        (#""num_key_value_heads": 2, "#, "", "is 4, which does not divide the 2 heads"),
    ]) func whatAFilledUpModelCannotHaveIsNamed(old: String, new: String, words: String) throws {
        try #require(Self.filledUp.contains(old))
        let message = refusal { _ = try read(Self.filledUp.replacing(old, with: new)) }
        #expect(message?.contains(words) == true, "\(message ?? "accepted")")
    }

    @Test func layersWithoutExpertsArrive() throws {
        func dense(_ json: String, _ old: String, _ new: String) throws -> [Int] {
            try #require(json.contains(old))
            return try read(json.replacing(old, with: new)).model.dense.layers.sorted()
        }
        #expect(try dense(Self.mixture, #""mlp_only_layers": []"#, #""mlp_only_layers": [1]"#) == [1])
        #expect(try dense(Self.mixture, #""decoder_sparse_step": 1"#, #""decoder_sparse_step": 2"#) == [0])
        #expect(try dense(Self.filledUp, #""moe_layer_start_index": 0,"#, "") == [0])
        #expect(try dense(Self.filledUp, #""moe_layer_end_index": 1,"#, #""moe_layer_end_index": 0,"#) == [1])
        #expect(try dense(Self.filledUp, #""moe_layer_interval": 1"#, #""moe_layer_interval": 2"#) == [0])
        #expect(try read(Self.mixture).model.dense == .none)
    }

    @Test func sharedExpertsArrive() throws {
        let found = try read(Self.mixture.replacing(#"intermediate_size": 0"#, with: #"intermediate_size": 24"#)).model
        #expect(found.shared == SharedExpertsConfiguration(hiddenSize: 24, isGated: true))
        #expect(try read(Self.mixture).model.shared == .none)
        let two = try read(Self.filledUp.replacing(#""moe_num_shared_experts": 0,"#, with: "")).model
        #expect(two.shared == SharedExpertsConfiguration(hiddenSize: 32))
    }

    @Test func sizesBeyondCountingAreRefused() throws {
        let huge = Self.mixture.replacing(#""hidden_size": 48"#, with: #""hidden_size": 1048576"#)
            .replacing(#""moe_intermediate_size": 40"#, with: #""moe_intermediate_size": 1048576"#)
            .replacing(#""num_experts": 6"#, with: #""num_experts": 65536"#)
        let message = refusal { _ = try read(huge) }
        #expect(message?.contains("are more than 10^15 parameters") == true, "\(message ?? "accepted")")
    }

    @Test func biasesOfALlamaArriveAndThoseOfItsFeedForwardAreRefused() throws {
        let llama = #"""
            {"model_type": "llama", "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "vocab_size": 9,
             "num_attention_heads": 2, "max_position_embeddings": 4, "attention_bias": false, "mlp_bias": false}
            """#
        #expect(try read(llama).className == "LlamaForCausalLM" && read(llama).model.attention.bias == .none)
        let biased = try read(llama.replacing(#""attention_bias": false"#, with: #""attention_bias": true"#))
        #expect(biased.model.attention.bias == .all)
        let message = refusal { _ = try read(llama.replacing(#""mlp_bias": false"#, with: #""mlp_bias": true"#)) }
        #expect(message?.contains("`mlp_bias` is true: a bias of the feed-forward is not supported") == true)
    }

    @Test func scaledPositionsArrive() throws {
        func rotary(_ scaling: String) throws -> RotaryConfiguration {
            try read(Self.mixture.replacing(#""rope_scaling": null"#, with: #""rope_scaling": \#(scaling)"#)).model
                .rotary
        }
        #expect(
            try rotary(#"{"type": "linear", "factor": 2.0}"#)
                == RotaryConfiguration(base: 1e6, scaling: .linear, factor: 2))
        let llama = #"""
            {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
             "original_max_position_embeddings": 8192}
            """#
        #expect(
            try rotary(llama)
                == RotaryConfiguration(base: 1e6, scaling: .llama3, factor: 8, originalContext: 8192, highRotations: 4))
        #expect(
            try rotary(#"{"type": "yarn", "factor": 4.0}"#)
                == RotaryConfiguration(base: 1e6, scaling: .yarn, factor: 4, originalContext: 64, highRotations: 32))
        // Within the context, nothing is scaled.
        #expect(try rotary(#"{"type": "dynamic", "factor": 4.0}"#) == RotaryConfiguration(base: 1e6))
    }

    @Test func groupedQueriesWithHeadsOfAnySizeArrive() throws {
        let qwen = #"""
            {"model_type": "qwen2", "hidden_size": 10, "intermediate_size": 12, "num_hidden_layers": 1, "vocab_size": 9,
             "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 6, "max_position_embeddings": 4}
            """#
        let found = try read(qwen)
        let expected = AttentionConfiguration(heads: 4, keyValueHeads: 2, headSize: 6, bias: .qkv)
        #expect(found.className == "Qwen2ForCausalLM" && found.model.attention == expected)
        for (old, new, words) in [
            (#""head_dim": 6"#, #""head_dim": 5"#, "heads of an even size"),
            (#""head_dim": 6, "#, "", "does not cut 10 into heads of an even size"),
            (#""num_key_value_heads": 2"#, #""num_key_value_heads": 3"#, "does not divide the 4 heads"),
        ] {
            let message = refusal { _ = try read(qwen.replacing(old, with: new)) }
            #expect(message?.contains(words) == true, "\(message ?? "accepted")")
        }
    }
}
