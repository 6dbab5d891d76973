"""The golden cases, and the search for a seed whose routing decides something and hangs on no rounding."""

import numpy as np

from layers import REAL, Rotary
from model import losses, shapes
from routing import capacity
from settings import Settings

# A float32 run must choose the same experts: its p is off by about 1e-6.
SMALLEST_MARGIN = 1e-4
SEEDS_TRIED = 2000

CASES = {
    "k1": Settings(),
    "k2": Settings(top_k=2, capacity_factor=1.1),
    "k2-normalized": Settings(top_k=2, capacity_factor=1.1, normalize_gates=True),
    # 1.05 · 40 · 2 / 6 is 14, and 15 where a double takes part
    "g2": Settings(experts=3, granularity=2, capacity_factor=1.05, sequences=5),
    "dense": Settings(experts=1),
    "tied-layernorm": Settings(tie_embeddings=True, norm="layer", capacity_factor=1.25),
    "no-final-norm": Settings(final_norm=False, mean_of_layers=True, norm="layer", top_k=2),
    "odd": Settings(
        d_model=18, layers=3, heads=3, context=7, vocabulary_size=31, experts=5, top_k=3, feed_forward=1,
        capacity_factor=1.1,
    ),
    "grouped": Settings(heads=4, kv_heads=2, head_size=6, attention_bias="all", top_k=2, capacity_factor=1.1),
    "normed-heads": Settings(heads=4, kv_heads=2, head_size=6, qk_norm="head", norm="layer", capacity_factor=1.1),
    "normed-projections": Settings(heads=4, kv_heads=2, attention_bias="qkv", qk_norm="all", experts=3),
    "rotary-linear": Settings(experts=1, head_size=12, rotary=Rotary(fraction=0.5, scaling="linear", factor=3)),
    "rotary-llama3": Settings(
        experts=1, head_size=16,
        rotary=Rotary(scaling="llama3", factor=8, original_context=64, low_rotations=0.5, high_rotations=3)),
    "rotary-yarn": Settings(
        experts=1, head_size=16, rotary=Rotary(scaling="yarn", factor=4, original_context=400, high_rotations=32)),
    "shared": Settings(top_k=2, capacity_factor=1.1, shared_hidden=20, normalize_gates=True),
    "shared-gated": Settings(shared_hidden=7, shared_gate=True, norm="layer", experts=3),
    "dense-first": Settings(
        dense_layers=(0,), dense_hidden=11, shared_hidden=12, shared_gate=True, top_k=2, capacity_factor=1.1,
        mean_of_layers=True),
    "dense-last": Settings(dense_layers=(1,), dense_hidden=40, experts=3, tie_embeddings=True),
    "documents": Settings(
        heads=4, kv_heads=2, context=14, vocabulary_size=5, experts=2, feed_forward=1, sequences=2, document_token=3),
    "geglu": Settings(activation="geglu", top_k=2, capacity_factor=1.1, shared_hidden=9),
    "gelu": Settings(activation="gelu", experts=3, dense_layers=(1,), dense_hidden=20),
    "relu2": Settings(activation="relu2", top_k=2, capacity_factor=1.1, shared_hidden=20, shared_gate=True),
    "multi-query": Settings(heads=3, kv_heads=1, head_size=2, attention_bias="qkv", experts=3),
}


def draw(settings, seed):
    """Parameters and tokens, functions of the seed alone: `RandomState` is frozen, newer generators may change.

    Parameters are float32 numbers held in `REAL`, with a spread of about three times the training's initialisation.
    """
    random = np.random.RandomState(seed)
    tokens = random.randint(0, settings.vocabulary_size, (settings.lanes, settings.sequences, settings.context + 1))
    parameters = {}
    for name, shape in shapes(settings).items():
        centre, spread = (1, 0.5) if name.endswith("norm.weight") else (0, 0.5)
        if "norm" not in name and not name.endswith("bias"):
            fan_in = shape[-1] if name in ("embedding", "head") else shape[-2]
            spread = np.sqrt(3 / fan_in)  # uniform in ±spread: variance 1 / fan_in
        values = random.uniform(centre - spread, centre + spread, shape).astype(np.float32)
        parameters[name] = values.astype(REAL)
    return parameters, tokens.astype(np.int32)


def margin(routes, choices):
    """The smallest gap between two neighbours among each token's first K + 1 probabilities; infinite for one expert."""
    gaps = [-np.diff(-np.sort(-way.p, axis=-1)[:, : choices + 1], axis=-1) for lane in routes for way in lane]
    return min((gap.min() for gap in gaps if gap.size), default=np.inf)


def dropped(routes):
    """Choices without a seat. [lanes, layers]"""
    return np.array([[np.count_nonzero(~way.seated) for way in lane] for lane in routes])


def partly_seated(way):
    """Tokens of which one choice found a seat and another did not."""
    return np.count_nonzero(way.seated.any(axis=1) & ~way.seated.all(axis=1))


def telling(settings, routes):
    """Whether every lane drops in every layer, where it can, and drops single choices where a token has several."""
    if capacity(settings) == settings.lane_tokens:
        return True
    return np.all(dropped(routes) > 0) and all(
        settings.choices == 1 or partly_seated(way) for lane in routes for way in lane
    )


def first_seed(settings):
    for seed in range(SEEDS_TRIED):
        parameters, tokens = draw(settings, seed)
        result, _ = losses(parameters, tokens, settings)
        if margin(result.routes, settings.choices) >= SMALLEST_MARGIN and telling(settings, result.routes):
            return seed
    raise SystemExit(f"none of {SEEDS_TRIED} seeds gives clear routes with drops for {settings}: change the case")
