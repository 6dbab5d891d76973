"""Who goes to which expert, and the mixture-of-experts layer, forward beside backward.

Fedus, Zoph & Shazeer, "Switch Transformers" (arXiv:2101.03961), section 2; z-loss: Zoph et al., "ST-MoE"
(arXiv:2202.08906), equation 5. The routing group is one lane.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from layers import REAL, expert, expert_backward, log_sum_exp, softmax, softmax_backward


@dataclass
class Route:
    """One lane's way through one layer. T tokens, K choices each, X experts."""

    logits: np.ndarray  # [T, X]
    p: np.ndarray  # [T, X], softmax of the logits
    chosen: np.ndarray  # [T, K], the experts in order of falling p
    gates: np.ndarray  # [T, K]
    seated: np.ndarray  # [T, K], whether the choice found a seat


def capacity(settings):
    """`min(T, ⌈capacity_factor · T · K / X⌉)`, exactly: the factor is the decimal number that was written down."""
    T, K, X = settings.lane_tokens, settings.choices, settings.routed_experts
    return min(T, ceil(Fraction(str(settings.capacity_factor)) * T * K / X))


def choose(p, choices):
    """The `choices` most probable experts of each token, the lower index first where two are equal."""
    return np.argsort(-p, axis=-1, kind="stable")[:, :choices]


def seat(chosen, experts, seats_per_expert):
    """First come, first served: every token's first choice in token order, then every second choice, and so on."""
    free = [seats_per_expert] * experts
    seated = np.zeros(chosen.shape, dtype=bool)
    for choice in range(chosen.shape[1]):
        for token, e in enumerate(chosen[:, choice]):
            seated[token, choice] = free[e] > 0
            free[e] -= int(seated[token, choice])
    return seated


def route(logits, settings):
    p = softmax(logits)
    chosen = choose(p, settings.choices)
    gates = np.take_along_axis(p, chosen, axis=-1)
    if settings.normalize_gates:
        gates = gates / np.sum(gates, axis=-1, keepdims=True)  # over all choices, seated or not
    return Route(logits, p, chosen, gates, seat(chosen, settings.routed_experts, capacity(settings)))


def chosen_share(way):
    """`f_e`: the share of all T·K choices that fell on e, before capacity."""
    return np.bincount(way.chosen.ravel(), minlength=way.p.shape[1]).astype(REAL) / way.chosen.size


def load_balance(way):
    """`X · Σ_e f_e · P_e`, `P_e` the mean of p_e (Switch Transformers, equation 4)"""
    return way.p.shape[1] * np.sum(chosen_share(way) * np.mean(way.p, axis=0))


def z(way):
    """`mean_t (logsumexp logits_t)²` (ST-MoE, equation 5)"""
    return np.mean(log_sum_exp(way.logits) ** 2)


def moe(x, router, projection, down, settings):
    """`y = Σ g_j · E_j(x)` over the seated choices. x: [T, d], router: [d, X], projection: [X, d, 2f] or [X, d, f], down: [X, f, d]"""
    way = route(x @ router, settings)
    y = np.zeros_like(x)
    visits = []
    for e in range(settings.routed_experts):
        tokens, choices = np.nonzero(way.seated & (way.chosen == e))
        answers, cache = expert(x[tokens], projection[e], down[e], settings.activation)
        y[tokens] += way.gates[tokens, choices, None] * answers
        visits.append((tokens, choices, answers, cache))
    return y, (x, router, way, visits, settings)


def moe_backward(dy, dload_balance, dz, cache):
    """Also takes the gradients of the layer's two auxiliary losses, which are functions of the route alone."""
    x, router, way, visits, settings = cache
    dx = np.zeros_like(x)
    dgates = np.zeros_like(way.gates)  # stays zero where a choice has no seat
    dprojection, ddown = [], []
    for tokens, choices, answers, expert_cache in visits:
        dgates[tokens, choices] = np.sum(dy[tokens] * answers, axis=-1)
        dexpert, dg, dd = expert_backward(way.gates[tokens, choices, None] * dy[tokens], expert_cache)
        dx[tokens] += dexpert
        dprojection.append(dg)
        ddown.append(dd)
    dlogits = route_backward(dgates, dload_balance, dz, way, settings)
    return dx + dlogits @ router.T, x.T @ dlogits, np.stack(dprojection), np.stack(ddown)


def route_backward(dgates, dload_balance, dz, way, settings):
    """Gradient of the logits: from the gates through p, from `P_e` (not `f_e`) and from the z-loss."""
    T, X = way.p.shape
    if settings.normalize_gates:
        total = np.sum(np.take_along_axis(way.p, way.chosen, axis=-1), axis=-1, keepdims=True)
        dgates = (dgates - np.sum(dgates * way.gates, axis=-1, keepdims=True)) / total
    dp = np.tile(dload_balance * X * chosen_share(way) / T, (T, 1))
    np.put_along_axis(dp, way.chosen, np.take_along_axis(dp, way.chosen, axis=-1) + dgates, axis=-1)
    return softmax_backward(dp, way.p) + dz * 2 * log_sum_exp(way.logits)[:, None] * way.p / T
