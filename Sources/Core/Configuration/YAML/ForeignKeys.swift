/// What other trainers call a key of ours, in lower case: for advice when one of theirs is given. Names of Megatron-LM, the
/// Hugging Face libraries, nanoGPT and torchtitan.
package enum ForeignKeys {
    private static let names: [String: String] = {
        var names: [String: String] = [:]
        for (ours, theirs) in table { for name in theirs.split(separator: " ") { names[String(name)] = ours } }
        return names
    }()

    private static let table = [
        "batch.micro_batch_tokens": "micro_batch_size per_device_train_batch_size local_batch_size",
        "batch.ramp": "rampup_batch_size batch_size_schedule batch_size_warmup",
        "batch.tokens": "batch_size global_batch_size train_batch_size",
        "checkpoint.every_steps": "save_interval save_steps checkpoint_interval",
        "checkpoint.keep": "save_total_limit",
        "data.document_mask": "reset_attention_mask reset_position_ids intra_document_masking document_masking",
        "data.text_field": "text_column text_key json_keys text_column_name",
        "data.tokenizer": "tokenizer_model tokenizer_type tokenizer_path tokenizer_name",
        "data.train": "data_path train_data train_data_path dataset dataset_path",
        "data.validation": "valid_data valid_data_path eval_data",
        "model.activation": "hidden_act hidden_activation activation_function mlp_type",
        "model.context": "seq_len seq_length sequence_length block_size max_position_embeddings max_seq_len",
        "model.d_model": "hidden_size n_embd dim model_dim",
        "model.dense_layers": "first_k_dense_replace mlp_only_layers moe_layer_freq decoder_sparse_step",
        "model.experts": "num_experts n_experts num_local_experts n_routed_experts moe_num_experts",
        "model.feed_forward": "ffn_hidden_size intermediate_size moe_intermediate_size",
        "model.head_size": "head_dim kv_channels attention_head_size",
        "model.heads": "num_heads n_head n_heads num_attention_heads",
        "model.kv_heads": "num_key_value_heads n_kv_heads n_kv_head num_query_groups",
        "model.layers": "num_layers n_layer n_layers num_hidden_layers",
        "model.norm": "normalization norm_type",
        "model.norm_epsilon": "rms_norm_eps norm_eps layernorm_epsilon layer_norm_epsilon",
        "model.qk_norm": "qk_layernorm use_qk_norm qk_layer_norm",
        "model.rope_base": "rope_theta rotary_base",
        "model.rope_factor": "rope_scaling_factor rotary_scaling_factor",
        "model.rope_fraction": "partial_rotary_factor rotary_percent rotary_pct",
        "model.rope_original_context": "original_max_position_embeddings",
        "model.shared_experts": "n_shared_experts num_shared_experts moe_num_shared_experts",
        "model.shared_gate": "moe_shared_expert_gate",
        "model.shared_hidden_size": "shared_expert_intermediate_size moe_shared_expert_intermediate_size",
        "model.tie_embeddings": "tie_word_embeddings",
        "model.top_k": "topk num_experts_per_tok moe_router_topk moe_top_k moe_k",
        "model.vocabulary_size": "vocab_size padded_vocab_size",
        "optimizer.beta1": "adam_beta1", "optimizer.beta2": "adam_beta2",
        "optimizer.ema_decay": "ema ema_beta ema_rate", "optimizer.epsilon": "eps adam_eps adam_epsilon",
        "optimizer.gradient_clip": "clip_grad grad_clip max_grad_norm gradient_clipping max_norm",
        "optimizer.kind": "optimizer_type optimizer_name", "optimizer.momentum": "muon_momentum",
        "optimizer.learning_rate": "lr max_lr peak_lr", "optimizer.weight_decay": "wd adam_weight_decay",
        "parallel.distributed_optimizer": "use_distributed_optimizer zero_stage",
        "parallel.expert_parallel": "expert_model_parallel_size ep_size expert_parallel_size expert_parallel_degree",
        "precision": "bf16 fp16 dtype torch_dtype mixed_precision params_dtype",
        "recompute": "recompute_granularity gradient_checkpointing activation_checkpoint",
        "routing.balancing": "moe_router_enable_expert_bias moe_router_load_balancing_type",
        "routing.bias_update_rate": "moe_router_bias_update_rate load_balance_coeff bias_update_speed",
        "routing.capacity_factor": "moe_expert_capacity_factor expert_capacity_factor",
        "routing.load_balance_weight": "aux_loss_weight aux_loss_coef moe_aux_loss_coeff router_aux_loss_coef",
        "routing.normalize_gates": "norm_topk_prob normalize_topk",
        "routing.z_loss_weight": "moe_z_loss_coeff router_z_loss_coef z_loss_coef",
        "run.directory": "output_dir out_dir save save_dir checkpoint_dir",
        "schedule.kind": "lr_decay_style lr_scheduler lr_scheduler_type",
        "schedule.warmup_tokens": "warmup warmup_steps warmup_iters lr_warmup_iters lr_warmup_samples",
        "train.steps": "train_iters max_iters max_steps num_steps training_steps iterations",
        "train.tokens": "train_tokens max_tokens num_tokens total_tokens",
        "train.validate_every": "eval_interval eval_steps eval_every validate_interval",
    ]

    /// Those that are known by another name.
    package static var ours: [String] { table.keys.sorted() }

    /// The key of ours for what another trainer calls `path`, such as `optimizer.lr`; nil if none is known. A section's name
    /// before it is not looked at, and a dash counts as `_`.
    static func key(for path: String) -> String? {
        let last = path.split(separator: ".").last.map(String.init) ?? path
        return names[last.lowercased().replacing("-", with: "_")]
    }
}
