"""DeepSeek-MoE of January 2024 in plain PyTorch, because `transformers` has no class for it (`model_type: deepseek`).

Written after the paper (Dai et al., arXiv:2401.06066, equations 3 to 11) with the names of tensors and settings that DeepSeek's
repositories of models have. One sequence attends to itself; no cache.
"""

import json
import pathlib
from types import SimpleNamespace

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

SETTINGS = dict(
    architectures=["DeepseekForCausalLM"], model_type="deepseek", hidden_act="silu", attention_bias=False,
    attention_dropout=0.0, rms_norm_eps=1e-6, rope_theta=10000.0, rope_scaling=None, scoring_func="softmax",
    norm_topk_prob=False, moe_layer_freq=1, first_k_dense_replace=1, n_shared_experts=2, tie_word_embeddings=False,
    aux_loss_alpha=0.001, seq_aux=True, pretraining_tp=1)


class RMSNorm(nn.Module):
    def __init__(self, size, epsilon):
        super().__init__()
        self.weight, self.epsilon = nn.Parameter(torch.ones(size)), epsilon

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon))


class MLP(nn.Module):
    def __init__(self, size, hidden):
        super().__init__()
        self.gate_proj = nn.Linear(size, hidden, bias=False)
        self.up_proj = nn.Linear(size, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, size, bias=False)

    def forward(self, x):
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class MoE(nn.Module):
    """Routed experts, and the shared ones as one feed-forward."""

    def __init__(self, c):
        super().__init__()
        self.choices, self.normalizes = c.num_experts_per_tok, c.norm_topk_prob
        self.gate = nn.Linear(c.hidden_size, c.n_routed_experts, bias=False)
        self.experts = nn.ModuleList(MLP(c.hidden_size, c.moe_intermediate_size) for _ in range(c.n_routed_experts))
        self.shared_experts = None
        if c.n_shared_experts:
            self.shared_experts = MLP(c.hidden_size, c.n_shared_experts * c.moe_intermediate_size)

    def forward(self, x):
        weights, chosen = self.gate(x).softmax(-1).topk(self.choices, dim=-1)
        if self.choices > 1 and self.normalizes:
            weights = weights / (weights.sum(-1, keepdim=True) + 1e-20)
        y = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            y = y + (weights * (chosen == number)).sum(-1, keepdim=True) * expert(x)
        return y if self.shared_experts is None else y + self.shared_experts(x)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.key_heads, self.size = c.num_attention_heads, c.num_key_value_heads, c.hidden_size // c.num_attention_heads
        self.theta = c.rope_theta
        for name, heads in (("q_proj", self.heads), ("k_proj", self.key_heads), ("v_proj", self.key_heads)):
            setattr(self, name, nn.Linear(c.hidden_size, heads * self.size, bias=c.attention_bias))
        self.o_proj = nn.Linear(self.heads * self.size, c.hidden_size, bias=c.attention_bias)

    def turned(self, x):
        """The pair of columns i and i + size / 2 of a head, by position / theta^(2i / size)."""
        half = self.size // 2
        angles = torch.arange(x.shape[-2])[:, None] * self.theta ** (-torch.arange(half) / half)
        first, second = x[..., :half], x[..., half:]
        return torch.cat((first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()), -1)

    def forward(self, x):
        q, k, v = (
            project(x).unflatten(-1, (-1, self.size)).transpose(1, 2) for project in (self.q_proj, self.k_proj, self.v_proj))
        k, v = (part.repeat_interleave(self.heads // self.key_heads, dim=1) for part in (k, v))
        scores = self.turned(q) @ self.turned(k).transpose(-1, -2) / self.size**0.5
        future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        mixed = scores.masked_fill(future, -torch.inf).softmax(-1) @ v
        return self.o_proj(mixed.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, c, number):
        super().__init__()
        self.self_attn = Attention(c)
        has_experts = number >= c.first_k_dense_replace and number % c.moe_layer_freq == 0
        self.mlp = MoE(c) if has_experts else MLP(c.hidden_size, c.intermediate_size)
        self.input_layernorm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(c.hidden_size, c.rms_norm_eps)

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class Deepseek(nn.Module):
    """`settings` are those of a `config.json`; what is left out is as in `SETTINGS`."""

    def __init__(self, **settings):
        super().__init__()
        self.settings = SETTINGS | settings
        self.config = c = SimpleNamespace(**self.settings)
        self.model = nn.Module()
        self.model.embed_tokens = nn.Embedding(c.vocab_size, c.hidden_size)
        self.model.layers = nn.ModuleList(Layer(c, number) for number in range(c.num_hidden_layers))
        self.model.norm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.lm_head = nn.Linear(c.hidden_size, c.vocab_size, bias=False)
        if c.tie_word_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight

    def forward(self, tokens):
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x)
        return SimpleNamespace(logits=self.lm_head(self.model.norm(x)))

    def randomized(self, spread=0.3):
        """Matrices as normals with this deviation."""
        with torch.no_grad():
            for parameter in self.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(0, spread)
        return self

    def save_pretrained(self, folder, **_):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(self.settings, indent=2) + "\n")
        tied = ["lm_head.weight"] if self.config.tie_word_embeddings else []
        tensors = {name: value.contiguous() for name, value in self.state_dict().items() if name not in tied}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def load(folder):
    """The model of a directory, with every tensor of its files and no other."""
    folder = pathlib.Path(folder)
    model = Deepseek(**json.loads((folder / "config.json").read_text()))
    tensors = {}
    for path in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(path)
    if model.config.tie_word_embeddings:
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]
    model.load_state_dict({name: value.float() for name, value in tensors.items()})
    return model.eval()
