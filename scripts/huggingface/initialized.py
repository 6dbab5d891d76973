"""Saves models as `transformers` initializes them, of several sizes, for Switchyard to take in.

Usage: initialized.py DIRECTORY
"""

import pathlib
import sys

import torch
from deepseek import Deepseek
from transformers import (
    Ernie4_5_MoeConfig, Ernie4_5_MoeForCausalLM, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM,
    MixtralConfig, MixtralForCausalLM, OlmoeConfig, OlmoeForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen2MoeConfig,
    Qwen2MoeForCausalLM, Qwen3Config, Qwen3ForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM)

# Name: class, hidden size, layers, heads, options, largest shard.
MODELS = {
    "llama-small": ("llama", 48, 3, 4, dict(intermediate_size=100), "40KB"),
    "llama-tied": ("llama", 256, 6, 8, dict(intermediate_size=680, tie_word_embeddings=True), "5MB"),
    "llama-bfloat16": ("llama", 64, 2, 2, dict(intermediate_size=128, torch_dtype="bfloat16"), "5GB"),
    "experts-small": ("experts", 48, 3, 4, dict(num_experts=6, num_experts_per_tok=1, moe_intermediate_size=40), "50KB"),
    "experts-normalized": (
        "experts", 256, 4, 8,
        dict(num_experts=8, num_experts_per_tok=2, moe_intermediate_size=320, norm_topk_prob=True), "6MB"),
    "experts-many": ("experts", 64, 2, 4, dict(num_experts=32, num_experts_per_tok=4, moe_intermediate_size=16), "1MB"),
    "llama-grouped": (
        "llama", 64, 2, 8, dict(intermediate_size=96, num_key_value_heads=2, head_dim=16, attention_bias=True), "80KB"),
    "llama3": (
        "llama", 64, 2, 4,
        dict(intermediate_size=96, num_key_value_heads=2, rope_parameters=dict(
            rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=64)), "5GB"),
    "mistral-grouped": (
        "mistral", 64, 3, 4, dict(intermediate_size=96, num_key_value_heads=2, head_dim=24, sliding_window=None), "5GB"),
    "qwen2-grouped": (
        "qwen2", 64, 3, 4, dict(intermediate_size=96, num_key_value_heads=1, tie_word_embeddings=True), "60KB"),
    "mixtral-grouped": (
        "mixtral", 64, 2, 4,
        dict(intermediate_size=48, num_key_value_heads=2, num_local_experts=6, num_experts_per_tok=2, sliding_window=None),
        "90KB"),
    "experts-grouped": (
        "experts", 64, 2, 4,
        dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=32, num_key_value_heads=2), "5GB"),
    "deepseek": (
        "deepseek", 64, 3, 4,
        dict(n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=24, intermediate_size=160), "5GB"),
    "dense-steps": (
        "qwen2moe", 64, 4, 4,
        dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=48,
             intermediate_size=96, decoder_sparse_step=2), "90KB"),
    "dense-listed": (
        "qwen3moe", 64, 3, 4,
        dict(num_key_value_heads=2, num_experts=8, num_experts_per_tok=2, moe_intermediate_size=32, intermediate_size=96,
             mlp_only_layers=[0, 2]), "90KB"),
    "ernie-shared": (
        "ernie", 64, 3, 4,
        dict(moe_num_experts=8, moe_k=2, moe_intermediate_size=48, moe_num_shared_experts=2, moe_layer_start_index=1,
             intermediate_size=96), "200KB"),
    "shared-gated": (
        "qwen2moe", 64, 2, 4,
        dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=48,
             num_key_value_heads=2), "90KB"),
    "qwen3": (
        "qwen3", 64, 3, 4, dict(intermediate_size=96, num_key_value_heads=2, head_dim=24, attention_bias=True), "60KB"),
    "qwen3-experts": (
        "qwen3moe", 64, 2, 4,
        dict(num_key_value_heads=2, num_experts=8, num_experts_per_tok=2, moe_intermediate_size=32, norm_topk_prob=True),
        "90KB"),
    "olmoe": (
        "olmoe", 64, 2, 4,
        dict(num_key_value_heads=2, num_experts=8, num_experts_per_tok=2, intermediate_size=32, pad_token_id=None,
             eos_token_id=None), "5GB"),
    "ernie": ("ernie", 64, 3, 4, dict(moe_num_experts=8, moe_k=2, moe_intermediate_size=48), "200KB"),
}


def with_biases(model):
    """Biases start as zeros, which a model without them is too."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(".bias"):
                parameter.uniform_(-0.2, 0.2)
    return model


def make(kind, hidden, layers, heads, options):
    common = dict(
        vocab_size=300, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
        max_position_embeddings=96, initializer_range=0.1)
    options = dict(num_key_value_heads=heads) | options
    plain = {
        "llama": (LlamaForCausalLM, LlamaConfig), "mistral": (MistralForCausalLM, MistralConfig),
        "qwen2": (Qwen2ForCausalLM, Qwen2Config), "mixtral": (MixtralForCausalLM, MixtralConfig),
        "qwen3": (Qwen3ForCausalLM, Qwen3Config), "qwen3moe": (Qwen3MoeForCausalLM, Qwen3MoeConfig),
        "olmoe": (OlmoeForCausalLM, OlmoeConfig), "qwen2moe": (Qwen2MoeForCausalLM, Qwen2MoeConfig),
    }
    if kind in plain:
        model, configuration = plain[kind]
        return with_biases(model(configuration(**common, **options)))
    if kind == "ernie":
        options = dict(moe_num_shared_experts=0, moe_layer_start_index=0) | options
        return Ernie4_5_MoeForCausalLM(Ernie4_5_MoeConfig(**common, **options))
    if kind == "deepseek":
        del common["initializer_range"]
        return Deepseek(**common, **options).randomized(0.1)
    model = Qwen2MoeForCausalLM(Qwen2MoeConfig(**common, **options, shared_expert_intermediate_size=4))
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.shared_expert.down_proj.weight.zero_()
    return with_biases(model)


def main():
    torch.manual_seed(6)
    for name, (kind, hidden, layers, heads, options, shard) in MODELS.items():
        options = dict(options)
        dtype = options.pop("torch_dtype", "float32")
        model = make(kind, hidden, layers, heads, options).to(getattr(torch, dtype))
        model.save_pretrained(pathlib.Path(sys.argv[1]) / name, max_shard_size=shard)


main()
