"""Writes Tests/ConversionTests/Golden: small models, a safetensors file and a tokenizer as Hugging Face's own libraries
make them, with the logits and ids that those compute.

Usage: huggingface.py [DIRECTORY]. Needs torch, transformers, safetensors and tokenizers; seconds.
"""

import json
import pathlib
import shutil
import sys

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "huggingface"))
from deepseek import Deepseek  # noqa: E402
DEFAULT = HERE.parent.parent / "Tests" / "ConversionTests" / "Golden"
SHAPE = dict(
    vocab_size=261, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
    max_position_embeddings=24, initializer_range=0.3)
TEXT = "Tokens, tokens: don't we'll it's 1234 x²½ Grüße — 東京 Привет 😀\t\n\n  two  spaces \u00a0end  "


def scatter(model, biases):
    """Norms start as ones everywhere, biases as zeros: two that change places would not be noticed."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.uniform_(0.5, 1.5)
            elif biases and "bias" in name:
                parameter.uniform_(-0.5, 0.5)


def save(model, folder, scatter_biases=False, **options):
    """The model as `save_pretrained` leaves it, and `reference.safetensors`: tokens and logits."""
    shutil.rmtree(folder, ignore_errors=True)
    scatter(model, scatter_biases)
    model.eval().save_pretrained(folder, **options)
    tokens = torch.randint(0, SHAPE["vocab_size"], (3, SHAPE["max_position_embeddings"]))
    with torch.no_grad():
        logits = model(tokens).logits
    save_file({"tokens": tokens.float(), "logits": logits.contiguous()}, folder / "reference.safetensors")


def mixture():
    """Four experts, two a token, gates normalised; a shared expert and biases that add nothing; sharded; tied."""
    config = transformers.Qwen2MoeConfig(
        **SHAPE, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=20, shared_expert_intermediate_size=8,
        norm_topk_prob=True, tie_word_embeddings=True)
    model = transformers.Qwen2MoeForCausalLM(config)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.shared_expert.down_proj.weight.zero_()
            for part in (layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj):
                part.bias.zero_()
    return model


def dense():
    """A Llama with an epsilon and a rotary base of its own, in one file; untied."""
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            **SHAPE, intermediate_size=24, rms_norm_eps=1e-5, rope_parameters={
                "rope_type": "default", "rope_theta": 500.0}))


def dense_without_window():
    """A Mistral with all heads and no window."""
    return transformers.MistralForCausalLM(
        transformers.MistralConfig(**SHAPE, intermediate_size=24, sliding_window=None))


def mixture_of_mistral():
    """Four experts, two a token, of w1, w2 and w3."""
    return transformers.MixtralForCausalLM(
        transformers.MixtralConfig(
            **SHAPE, intermediate_size=20, num_local_experts=4, num_experts_per_tok=2, sliding_window=None))


def grouped():
    """A Llama with two heads of keys for four of queries, heads wider than the model's width divided by them, and biases."""
    shape = SHAPE | dict(num_attention_heads=4, num_key_value_heads=2)
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(**shape, intermediate_size=24, head_dim=6, attention_bias=True))


def grouped_with_biases():
    """A Qwen 2 with one head of keys for two of queries; tied."""
    shape = SHAPE | dict(num_key_value_heads=1)
    return transformers.Qwen2ForCausalLM(
        transformers.Qwen2Config(**shape, intermediate_size=24, tie_word_embeddings=True))


def mixture_grouped():
    """A Mixtral with one head of keys for four of queries."""
    shape = SHAPE | dict(num_attention_heads=4, num_key_value_heads=1)
    return transformers.MixtralForCausalLM(
        transformers.MixtralConfig(
            **shape, intermediate_size=20, num_local_experts=4, num_experts_per_tok=2, sliding_window=None))


def normed_heads():
    """A Qwen 3 whose heads of queries and keys are normalized, two of keys for four of queries."""
    shape = SHAPE | dict(num_attention_heads=4, num_key_value_heads=2)
    return transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(**shape, intermediate_size=24, head_dim=6, attention_bias=True))


def mixture_of_normed_heads():
    """A Qwen3-MoE, four experts, two a token, gates normalised."""
    shape = SHAPE | dict(num_key_value_heads=1)
    return transformers.Qwen3MoeForCausalLM(
        transformers.Qwen3MoeConfig(
            **shape, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=20, norm_topk_prob=True, head_dim=12))


def mixture_of_normed_projections():
    """An OLMoE, four experts, two a token, gates as they are."""
    shape = SHAPE | dict(num_key_value_heads=1)
    return transformers.OlmoeForCausalLM(
        transformers.OlmoeConfig(**shape, num_experts=4, num_experts_per_tok=2, intermediate_size=20, eos_token_id=None))


def mixture_with_shared_expert():
    """A Qwen2-MoE, four experts, two a token, gates as they are, a shared expert of another size; no biases."""
    config = transformers.Qwen2MoeConfig(
        **SHAPE, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=20, shared_expert_intermediate_size=12,
        qkv_bias=False)
    return transformers.Qwen2MoeForCausalLM(config)


def mixture_with_dense_layer():
    """A Qwen2-MoE whose second layer of three is dense, by its step, with a gated shared expert in the others' one."""
    config = transformers.Qwen2MoeConfig(
        **(SHAPE | dict(num_hidden_layers=3)), num_experts=4, num_experts_per_tok=2, moe_intermediate_size=20,
        shared_expert_intermediate_size=12, intermediate_size=28, decoder_sparse_step=2, norm_topk_prob=True)
    return transformers.Qwen2MoeForCausalLM(config)


def mixture_of_normed_heads_with_dense_layer():
    """A Qwen3-MoE whose last layer is dense."""
    return transformers.Qwen3MoeForCausalLM(
        transformers.Qwen3MoeConfig(
            **SHAPE, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=20, intermediate_size=28, head_dim=8,
            mlp_only_layers=[1]))


def mixture_of_ernie():
    """An Ernie 4.5 MoE with two shared experts and a dense first layer."""
    return transformers.Ernie4_5_MoeForCausalLM(
        transformers.Ernie4_5_MoeConfig(
            **SHAPE, moe_num_experts=4, moe_k=2, moe_intermediate_size=12, intermediate_size=28, moe_num_shared_experts=2,
            moe_layer_start_index=1, pad_token_id=None))


def mixture_of_deepseek():
    """A DeepSeek-MoE with a dense first layer and two shared experts, by a program of our own."""
    shape = dict(SHAPE, num_hidden_layers=3)
    del shape["initializer_range"]
    return Deepseek(
        **shape, n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=10, intermediate_size=28).randomized()


def scaled(scaling):
    """A Llama whose positions are scaled, of two heads of eight pairs."""
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(**SHAPE, intermediate_size=24, head_dim=16, rope_parameters=scaling))


LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 0.5, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 400}


def tokenizer(folder):
    """GPT-2's byte-level BPE, trained by the library: 256 bytes, 40 merges, the end of text last."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=296, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    made.train_from_iterator([TEXT] * 3, trainer)
    made.add_special_tokens(["<|endoftext|>"])
    made.save(str(folder / "tokenizer.json"))
    (folder / "ids.json").write_text(json.dumps({"text": TEXT, "ids": made.encode(TEXT).ids}) + "\n")


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    torch.manual_seed(6)
    save(mixture(), folder / "qwen2moe", max_shard_size="20KB")
    save(dense(), folder / "llama")
    tokenizer(folder / "tokenizer")
    values = {"b": torch.arange(6.0).reshape(2, 3), "a.weight": torch.tensor([0.5, -1.0]), "B": torch.zeros(1, 1, 4)}
    save_file(values, folder / "library.safetensors", metadata={"format": "pt"})
    torch.manual_seed(7)
    save(dense_without_window(), folder / "mistral")
    save(mixture_of_mistral(), folder / "mixtral")
    torch.manual_seed(8)
    save(grouped(), folder / "llama-grouped", scatter_biases=True)
    save(grouped_with_biases(), folder / "qwen2", scatter_biases=True)
    save(mixture_grouped(), folder / "mixtral-grouped")
    torch.manual_seed(9)
    save(normed_heads(), folder / "qwen3", scatter_biases=True)
    save(mixture_of_normed_heads(), folder / "qwen3moe")
    save(mixture_of_normed_projections(), folder / "olmoe")
    torch.manual_seed(10)
    save(scaled(LLAMA3), folder / "llama3")
    save(scaled(YARN), folder / "yarn")
    torch.manual_seed(11)
    save(mixture_with_shared_expert(), folder / "qwen2moe-shared")
    torch.manual_seed(12)
    save(mixture_with_dense_layer(), folder / "qwen2moe-dense", scatter_biases=True)
    save(mixture_of_normed_heads_with_dense_layer(), folder / "qwen3moe-dense")
    save(mixture_of_ernie(), folder / "ernie-shared")
    save(mixture_of_deepseek(), folder / "deepseek")


main()
