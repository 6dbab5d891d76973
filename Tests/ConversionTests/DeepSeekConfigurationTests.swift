import Configuration
import Conversion
import Testing

struct DeepSeekConfigurationTests {
    /// As the repository of DeepSeek-MoE-16B has it, but small.
    static let small = #"""
        {"architectures": ["DeepseekForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "aux_loss_alpha": 0.001,
         "auto_map": {"AutoConfig": "configuration_deepseek.DeepseekConfig"}, "bos_token_id": 100000,
         "eos_token_id": 100001, "first_k_dense_replace": 1, "hidden_act": "silu", "hidden_size": 32,
         "initializer_range": 0.02, "intermediate_size": 86, "max_position_embeddings": 64, "model_type": "deepseek",
         "moe_intermediate_size": 11, "moe_layer_freq": 1, "n_routed_experts": 8, "n_shared_experts": 2,
         "norm_topk_prob": false, "num_attention_heads": 4, "num_experts_per_tok": 6, "num_hidden_layers": 3,
         "num_key_value_heads": 4, "pretraining_tp": 1, "rms_norm_eps": 1e-06, "rope_scaling": null,
         "rope_theta": 10000, "scoring_func": "softmax", "seq_aux": true, "tie_word_embeddings": false,
         "torch_dtype": "bfloat16", "transformers_version": "4.36.0", "use_cache": true, "vocab_size": 300}
        """#

    private func read(_ old: String = "", _ new: String = "") throws -> ImportedConfiguration {
        try #require(old.isEmpty || Self.small.contains(old))
        let json = old.isEmpty ? Self.small : Self.small.replacing(old, with: new)
        return try ImportedConfiguration(json: Array(json.utf8), path: "config.json")
    }

    @Test func everySettingOfItArrives() throws {
        let found = try read(), model = found.model
        #expect(found.className == "DeepseekForCausalLM" && !found.normalizesGates)
        #expect(model.expertCounts == [0, 8, 8] && model.expertsPerToken == 6 && model.expertHiddenSize == 11)
        #expect(model.shared == SharedExpertsConfiguration(hiddenSize: 22))
        #expect(model.dense == DenseLayersConfiguration([0], hiddenSize: 86) && model.normEpsilon == 1e-6)
        #expect(try read(#""n_shared_experts": 2"#, #""n_shared_experts": null"#).model.shared == .none)
        #expect(try read(#""first_k_dense_replace": 1"#, #""first_k_dense_replace": 0"#).model.dense == .none)
        #expect(try read(#""moe_layer_freq": 1"#, #""moe_layer_freq": 2"#).model.dense.layers == [0, 1])
        #expect(try read(#""norm_topk_prob": false"#, #""norm_topk_prob": true"#).normalizesGates)
    }

    @Test(arguments: [
        (#""first_k_dense_replace": 1"#, #""first_k_dense_replace": 3"#, "leaves no layer with experts"),
        (#""scoring_func": "softmax""#, #""scoring_func": "sigmoid""#, "another score of experts is not supported"),
        (#""num_experts_per_tok": 6"#, #""num_experts_per_tok": 9"#, "`num_experts_per_tok` is 9; 1 to 8"),
        (#""n_routed_experts": 8, "#, "", "`n_routed_experts` is missing"),
        (#""intermediate_size": 86, "#, "", "`intermediate_size` is missing"),
        (#""hidden_act": "silu""#, #""head_dim": 16"#, "`head_dim` is not hidden_size / num_attention_heads"),
        (#""use_cache": true"#, #""topk_method": "group_limited_greedy""#, "`topk_method`"),
    ]) func whatItCannotHaveIsNamed(old: String, new: String, words: String) throws {
        let message = refusal { _ = try read(old, new) }
        #expect(message?.contains(words) == true, "\(message ?? "accepted")")
    }
}
