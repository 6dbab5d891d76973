"""Switchyard's model in PyTorch, as somebody who knows PyTorch would write it for speed.

It is the same model to rounding: `check_against_golden.py` compares its losses and gradients with the golden files.
Parameters have the names and shapes of Switchyard's checkpoints. One forward is one lane.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Settings:
    d_model: int
    layers: int
    heads: int
    context: int
    vocabulary_size: int
    experts: int
    feed_forward: int
    top_k: int = 1
    granularity: int = 1
    tie_embeddings: bool = False
    layer_norm: bool = False
    normalize_gates: bool = False
    capacity_factor: float = 1.25
    load_balance_weight: float = 0.01
    z_loss_weight: float = 0.001
    experts_implementation: str = "padded"

    @property
    def routed_experts(self):
        return self.experts * self.granularity

    @property
    def choices(self):
        return self.top_k * self.granularity

    @property
    def hidden(self):
        return self.feed_forward * self.d_model // self.granularity

    def capacity(self, tokens):
        return min(tokens, ceil(Fraction(str(self.capacity_factor)) * tokens * self.choices / self.routed_experts))


def norm(settings):
    kind = nn.LayerNorm if settings.layer_norm else nn.RMSNorm
    return kind(settings.d_model, eps=1e-5)


def weight(*shape, fan_in):
    deviation = (0.1 / fan_in) ** 0.5
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(shape), std=deviation, a=-2 * deviation, b=2 * deviation))


class Attention(nn.Module):
    def __init__(self, settings):
        super().__init__()
        d = settings.d_model
        self.heads = settings.heads
        self.qkv = weight(d, 3 * d, fan_in=d)
        self.output = weight(d, d, fan_in=d)

    def forward(self, x, cosine, sine):
        """x: [sequences, context, d_model]"""
        sequences, context, d = x.shape
        q, k, v = (x @ self.qkv).view(sequences, context, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return y.transpose(1, 2).reshape(sequences, context, d) @ self.output


def rotate(x, cosine, sine):
    """Rotate-half in the precision of x; cosine, sine: [context, d_head]"""
    first, second = x.chunk(2, dim=-1)
    return x * cosine.to(x.dtype) + torch.cat((-second, first), dim=-1) * sine.to(x.dtype)


class Experts(nn.Module):
    """All experts of a layer, SwiGLU, as one stack of weights."""

    def __init__(self, settings):
        super().__init__()
        X, d, f = settings.routed_experts, settings.d_model, settings.hidden
        self.gate_up = weight(X, d, 2 * f, fan_in=d)
        self.down = weight(X, f, d, fan_in=f)

    def padded(self, x, route, gates):
        """One batched product over `[experts, capacity + 1, d_model]`.

        The last seat of an expert is for the choices it cannot seat: they overwrite each other there and count nothing,
        which costs one row and saves slicing and concatenating.
        """
        experts, seats = route.share.shape[0], route.capacity + 1
        slot = route.chosen * seats + route.place.clamp(max=route.capacity)
        gates = (gates * route.seated).to(x.dtype)
        buffer = x.new_zeros(experts * seats, x.shape[1])
        for choice in range(slot.shape[1]):
            buffer.index_copy_(0, slot[:, choice], x)
        answers = self.products(buffer.view(experts, seats, -1)).flatten(0, 1)
        y = [answers.index_select(0, slot[:, choice]) * gates[:, choice, None] for choice in range(slot.shape[1])]
        return sum(y[1:], y[0])

    def products(self, rows):
        """rows: [experts, seats, d_model]"""
        gate, up = torch.bmm(rows, self.gate_up).chunk(2, dim=-1)
        return torch.bmm(F.silu(gate) * up, self.down)

    def loop(self, x, route, gates):
        """Each expert over the tokens it was given, no padding."""
        y = torch.zeros_like(x)
        gates = gates.to(x.dtype)
        for e in range(self.gate_up.shape[0]):
            tokens, choices = torch.nonzero(route.seated & (route.chosen == e), as_tuple=True)
            gate, up = (x[tokens] @ self.gate_up[e]).chunk(2, dim=-1)
            answers = (F.silu(gate) * up) @ self.down[e]
            y.index_add_(0, tokens, answers * gates[tokens, choices, None])
        return y


class Route(NamedTuple):
    chosen: torch.Tensor  # [tokens, choices], experts in order of falling probability
    place: torch.Tensor  # [tokens, choices], how many came to the same expert before
    seated: torch.Tensor  # [tokens, choices]
    share: torch.Tensor  # [experts], of all choices, before capacity
    capacity: int


class MixtureOfExperts(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.settings = settings
        self.router = weight(settings.d_model, settings.routed_experts, fan_in=settings.d_model)
        self.experts = Experts(settings)

    def forward(self, x):
        """x: [tokens, d_model]. Returns y and the layer's load-balance and z-loss."""
        with torch.autocast("cpu", enabled=False):  # the router decides in the parameters' own precision
            logits = x.to(self.router.dtype) @ self.router
            p = logits.softmax(dim=-1)
        route = self.route(p)
        gates = p.gather(1, route.chosen)
        if self.settings.normalize_gates:
            gates = gates / gates.sum(dim=-1, keepdim=True)
        if torch.is_autocast_enabled("cpu"):
            x = x.to(torch.get_autocast_dtype("cpu"))  # before the copies into the buffer, not after
        y = getattr(self.experts, self.settings.experts_implementation)(x, route, gates)
        balance = self.settings.routed_experts * (route.share * p.mean(dim=0)).sum()
        return y, balance, logits.logsumexp(dim=-1).square().mean()

    @torch.no_grad()
    def route(self, p):
        """First choices sit before second ones, in token order."""
        tokens, experts = p.shape
        choices = self.settings.choices
        capacity = self.settings.capacity(tokens)
        chosen = p.sort(dim=-1, descending=True, stable=True).indices[:, :choices]
        taken = F.one_hot(chosen.t().reshape(-1), experts).cumsum(dim=0)  # [choices · tokens, experts]
        place = taken.gather(1, chosen.t().reshape(-1, 1)).view(choices, tokens).t() - 1
        return Route(chosen, place, place < capacity, taken[-1].to(p.dtype) / (tokens * choices), capacity)


class Block(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.attention_norm = norm(settings)
        self.attention = Attention(settings)
        self.feed_forward_norm = norm(settings)
        self.feed_forward = MixtureOfExperts(settings)

    def forward(self, x, cosine, sine):
        x = x + self.attention(self.attention_norm(x), cosine, sine)
        y, balance, z = self.feed_forward(self.feed_forward_norm(x).flatten(0, 1))
        return x + y.view_as(x), balance, z


class Model(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.settings = settings
        self.embedding = weight(settings.vocabulary_size, settings.d_model, fan_in=1)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))
        self.final_norm = norm(settings)
        if not settings.tie_embeddings:
            self.head = weight(settings.vocabulary_size, settings.d_model, fan_in=settings.d_model)
        d_head = settings.d_model // settings.heads
        frequency = 10000.0 ** (-torch.arange(0, d_head, 2, dtype=torch.float64) / d_head)
        angle = torch.outer(torch.arange(settings.context, dtype=torch.float64), frequency).repeat(1, 2)
        self.register_buffer("cosine", angle.cos(), persistent=False)
        self.register_buffer("sine", angle.sin(), persistent=False)

    def forward(self, tokens):
        """tokens: [sequences, context + 1]. Returns cross-entropy, load balance and z-loss of one lane."""
        x = F.embedding(tokens[:, :-1], self.embedding)
        balance = z = 0
        for block in self.blocks:
            x, layer_balance, layer_z = block(x, self.cosine, self.sine)
            balance, z = balance + layer_balance, z + layer_z
        head = self.embedding if self.settings.tie_embeddings else self.head
        logits = F.linear(self.final_norm(x).flatten(0, 1), head)
        return F.cross_entropy(logits.to(self.embedding.dtype), tokens[:, 1:].flatten()), balance, z

    def total(self, loss, balance, z):
        return loss + self.settings.load_balance_weight * balance + self.settings.z_loss_weight * z
