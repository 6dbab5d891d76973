"""The layers of the reference model, each forward beside its backward.

A forward returns `(y, cache)`; its backward takes `(dy, cache)` and returns the gradients of the inputs in the order of
the forward's arguments. Everything is computed in `REAL` and written for reading: no BLAS, no in-place updates.
"""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np

# Extended precision: NumPy runs it through plain loops and the C library, so neither the BLAS it was built with nor the
# vector width of the CPU decides the last bit of what is stored as float64.
REAL = np.longdouble

EPSILON = REAL("1e-5")
ROTARY_BASE = REAL(10000)
PI = 4 * np.arctan(REAL(1))


def rms_norm(x, weight):
    """`y = weight · x / √(mean(x²) + ε)` (Zhang & Sennrich, arXiv:1910.07467, equation 4). x: [..., d_model]"""
    inverse = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPSILON)
    unit = x * inverse
    return unit * weight, (unit, inverse, weight)


def rms_norm_backward(dy, cache):
    unit, inverse, weight = cache
    dunit = dy * weight
    dx = inverse * (dunit - unit * np.mean(dunit * unit, axis=-1, keepdims=True))
    return dx, sum_rows(dy * unit)


def layer_norm(x, weight, bias):
    """`y = weight · (x - mean) / √(variance + ε) + bias` (Ba et al., arXiv:1607.06450, section 3.1). x: [..., d]"""
    centred = x - np.mean(x, axis=-1, keepdims=True)
    inverse = 1 / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + EPSILON)
    unit = centred * inverse
    return unit * weight + bias, (unit, inverse, weight)


def layer_norm_backward(dy, cache):
    unit, inverse, weight = cache
    dunit = dy * weight
    mean = np.mean(dunit, axis=-1, keepdims=True)
    dx = inverse * (dunit - mean - unit * np.mean(dunit * unit, axis=-1, keepdims=True))
    return dx, sum_rows(dy * unit), sum_rows(dy)


@dataclass(frozen=True)
class Rotary:
    """The settings of rotary positions, in the configuration's words."""

    fraction: float = 1
    scaling: str = "none"
    factor: float = 1
    original_context: int = 0
    low_rotations: float = 1
    high_rotations: float = 4


def frequencies(rotary, n):
    """`10000^(-2i / n)` for the n columns that turn, scaled; and the factor of cosines and sines."""
    half = n // 2
    plain = ROTARY_BASE ** (-2 * np.arange(half, dtype=REAL) / n)
    slow, magnitude = plain / REAL(rotary.factor), REAL(1)
    if rotary.scaling == "none":
        return plain, magnitude
    if rotary.scaling == "linear":  # arXiv:2306.15595, equation 4
        return slow, magnitude
    if rotary.scaling == "llama3":  # by turns within the original context
        turns = rotary.original_context * plain / (2 * PI)
        fast = (turns - rotary.low_rotations) / (rotary.high_rotations - rotary.low_rotations)
        fast = np.clip(fast, 0, 1)
        return slow * (1 - fast) + plain * fast, magnitude
    # YaRN, arXiv:2309.00071: the pair at which a number of turns is reached, rounded outward
    def pair(rotations):
        return float(n * np.log(rotary.original_context / (rotations * 2 * PI)) / (2 * np.log(ROTARY_BASE)))

    first, last = max(floor(pair(rotary.high_rotations)), 0), min(ceil(pair(rotary.low_rotations)), n - 1)
    ramp = np.clip((np.arange(half, dtype=REAL) - first) / (last - first if last > first else REAL("0.001")), 0, 1)
    return plain * (1 - ramp) + slow * ramp, REAL("0.1") * np.log(REAL(rotary.factor)) + 1


def rotate(x, direction, starts, rotary):
    """Turns the pair `(x_i, x_(i + n/2))` of the first n columns by `direction · position · θ_i`.

    Su et al., arXiv:2104.09864, section 3.2, with the two halves of what turns as the pair. x: [sequences, heads, context, d_head].
    A position counts from the document's start. The backward is the rotation by the opposite angle, with the same magnitude.
    """
    context, d_head = x.shape[-2:]
    n = round(rotary.fraction * d_head)
    theta, magnitude = frequencies(rotary, n)
    angle = direction * (np.arange(context, dtype=REAL) - starts)[:, None, :, None] * theta
    cosine, sine = magnitude * np.cos(angle), magnitude * np.sin(angle)
    first, second = x[..., : n // 2], x[..., n // 2 : n]
    return np.concatenate((first * cosine - second * sine, second * cosine + first * sine, x[..., n:]), axis=-1)


def document_starts(tokens, end):
    """Where the document of each token begins in its sequence: behind the last token `end` before it, or at 0. [sequences, context]"""
    places = np.arange(1, tokens.shape[1]) * (tokens[:, :-1] == end)
    return np.maximum.accumulate(np.pad(places, ((0, 0), (1, 0))), axis=1)


def attention(x, starts, qkv, qkv_bias, q_norm, k_norm, output, output_bias, kv_heads, d_head, rotary):
    """Causal attention with rotary positions, whose neighboring heads of queries share keys and values in `kv_heads` groups
    (Ainslie et al., arXiv:2305.13245). Biases may be 0. Queries and keys are normalized before they turn, each head if the weight of the norm is as
    long as one, else each projection; not at all without weights. A token sees those before it from its document's start on.

    x: [sequences, context, d], starts: [sequences, context], qkv: [d, q | k | v], output: [heads · d_head, d]
    """
    projected, width = x @ qkv + qkv_bias, kv_heads * d_head
    parts = np.split(projected, [projected.shape[-1] - 2 * width, projected.shape[-1] - width], axis=-1)
    norm_caches = [None, None]
    for which, weight in enumerate((q_norm, k_norm)):
        if weight is not None:
            grouped, norm_caches[which] = rms_norm(parts[which].reshape(*x.shape[:2], -1, len(weight)), weight)
            parts[which] = grouped.reshape(parts[which].shape)
    q, k, v = (split_heads(part, d_head) for part in parts)
    q, k = rotate(q, +1, starts, rotary), rotate(k, +1, starts, rotary)
    group = q.shape[1] // kv_heads
    k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
    context = q.shape[-2]
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(REAL(d_head))
    seen = np.tri(context, dtype=bool) & (np.arange(context) >= starts[:, None, :, None])
    weights = softmax(np.where(seen, scores, -np.inf))
    mixed = join_heads(weights @ v)
    return mixed @ output + output_bias, (x, starts, qkv, output, kv_heads, rotary, norm_caches, q, k, v, weights, mixed)


def attention_backward(dy, cache):
    """The gradients of biases count if there are biases, those of norms are None if there are none."""
    x, starts, qkv, output, kv_heads, rotary, norm_caches, q, k, v, weights, mixed = cache
    dmixed = split_heads(dy @ output.T, q.shape[-1])
    dv = np.swapaxes(weights, -1, -2) @ dmixed
    dscores = softmax_backward(dmixed @ np.swapaxes(v, -1, -2), weights) / np.sqrt(REAL(q.shape[-1]))
    dq, dk = rotate(dscores @ k, -1, starts, rotary), rotate(np.swapaxes(dscores, -1, -2) @ q, -1, starts, rotary)
    dk, dv = sum_groups(dk, kv_heads), sum_groups(dv, kv_heads)
    parts, dnorms = [join_heads(part) for part in (dq, dk, dv)], [None, None]
    for which, norm_cache in enumerate(norm_caches):
        if norm_cache is not None:
            grouped = parts[which].reshape(norm_cache[0].shape)
            grouped, dnorms[which] = rms_norm_backward(grouped, norm_cache)
            parts[which] = grouped.reshape(parts[which].shape)
    dqkv_rows = np.concatenate(parts, axis=-1)
    return (
        dqkv_rows @ qkv.T, rows(x).T @ rows(dqkv_rows), sum_rows(dqkv_rows), *dnorms, rows(mixed).T @ rows(dy),
        sum_rows(dy),
    )


def cross_entropy(logits, targets):
    """Mean of `logsumexp(logits) - logits[target]`, in nats. logits: [tokens, vocabulary], targets: [tokens]"""
    tokens = np.arange(len(targets))
    return np.mean(log_sum_exp(logits) - logits[tokens, targets]), (softmax(logits), targets)


def cross_entropy_backward(dloss, cache):
    probabilities, targets = cache
    hits = np.zeros_like(probabilities)
    hits[np.arange(len(targets)), targets] = 1
    return dloss * (probabilities - hits) / len(targets)


def softmax(x):
    powers = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)


def softmax_backward(dy, y):
    return y * (dy - np.sum(dy * y, axis=-1, keepdims=True))


def log_sum_exp(x):
    largest = np.max(x, axis=-1)
    return largest + np.log(np.sum(np.exp(x - largest[..., None]), axis=-1))


def split_heads(x, d_head):
    """[sequences, context, width] to [sequences, heads, context, d_head]: each head a contiguous run of columns"""
    sequences, context, width = x.shape
    return np.swapaxes(x.reshape(sequences, context, width // d_head, d_head), 1, 2)


def sum_groups(x, groups):
    """The backward of repeating each of `groups` heads. [sequences, heads, ...] to [sequences, groups, ...]"""
    return np.sum(x.reshape(x.shape[0], groups, -1, *x.shape[2:]), axis=2)


def join_heads(x):
    sequences, heads, context, d_head = x.shape
    return np.swapaxes(x, 1, 2).reshape(sequences, context, heads * d_head)


def rows(x):
    return x.reshape(-1, x.shape[-1])


def sum_rows(x):
    return np.sum(rows(x), axis=0)
