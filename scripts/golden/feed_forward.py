"""Feed-forwards: activations, experts and what all tokens pass, each forward beside its backward, as in layers.py."""

import numpy as np

from layers import PI, REAL


def silu(x):
    """The value and the slope, each as two factors."""
    sigmoid = 1 / (1 + np.exp(-x))
    return (x, sigmoid), (sigmoid, 1 + x * (1 - sigmoid))


def gelu(x):
    """`x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2` and its slope (arXiv:1606.08415, section 2)."""
    scale, cubic = np.sqrt(2 / PI), REAL("0.044715")
    bend = np.tanh(scale * (x + cubic * x**3))
    slope = (1 + bend) / 2 + x * (1 - bend * bend) * scale * (1 + 3 * cubic * x * x) / 2
    return (x, (1 + bend) / 2), (slope, REAL(1))


def squared_relu(x):
    positive = np.maximum(x, 0)
    return (positive, positive), (REAL(2), positive)


# Whether there is a gate, and what is applied to it, or to the only projection.
ACTIVATIONS = {"swiglu": (True, silu), "geglu": (True, gelu), "gelu": (False, gelu), "relu2": (False, squared_relu)}


def expert(x, projection, down, activation):
    """`y = (f(x·W_gate) ⊙ x·W_up) · W_down` (Shazeer, arXiv:2002.05202, equation 6), or `f(x·W_up) · W_down`.

    x: [tokens, d], projection: [d, gate | up] or [d, up], down: [f, d]
    """
    gated, function = ACTIVATIONS[activation]
    gate, up = np.split(x @ projection, 2, axis=-1) if gated else (x @ projection, REAL(1))
    value, slope = function(gate)
    hidden = value[0] * value[1] * up
    return hidden @ down, (x, projection, down, gated, value, slope, up, hidden)


def expert_backward(dy, cache):
    x, projection, down, gated, value, slope, up, hidden = cache
    dhidden = dy @ down.T
    parts = [dhidden * up * slope[0] * slope[1]] + ([dhidden * value[0] * value[1]] if gated else [])
    dprojected = np.concatenate(parts, axis=-1)
    return dprojected @ projection.T, x.T @ dprojected, hidden.T @ dy


def shared_experts(x, projection, down, gate, activation):
    """`y = σ(x·w) · F(x)`, or `F(x)` if there is no gate: what all tokens pass (arXiv:2401.06066, equation 9; the gate as in
    Qwen2-MoE). x: [tokens, d], gate: [d, 1] or None
    """
    output, cache = expert(x, projection, down, activation)
    if gate is None:
        return output, (cache, None)
    opening = 1 / (1 + np.exp(-(x @ gate)))
    return opening * output, (cache, (x, gate, opening, output))


def shared_experts_backward(dy, cache):
    """The last gradient is None if there is no gate."""
    expert_cache, gated = cache
    if gated is None:
        return *expert_backward(dy, expert_cache), None
    x, gate, opening, output = gated
    dlogits = np.sum(dy * output, axis=-1, keepdims=True) * opening * (1 - opening)
    dx, dprojection, ddown = expert_backward(opening * dy, expert_cache)
    return dx + dlogits @ gate.T, dprojection, ddown, x.T @ dlogits
