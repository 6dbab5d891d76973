"""The whole model: parameters, losses of a batch of lanes, and their gradients."""

from dataclasses import dataclass

import numpy as np

from feed_forward import shared_experts, shared_experts_backward
from layers import (
    REAL, attention, attention_backward, cross_entropy, cross_entropy_backward, document_starts, layer_norm,
    layer_norm_backward, rms_norm, rms_norm_backward, rows,
)
from routing import load_balance, moe, moe_backward, z


def shapes(settings):
    """Every parameter's name and shape, in the order of the model."""
    d, f, X = settings.d_model, settings.hidden, settings.routed_experts
    first, wide = settings.projection
    norm_parts = ["weight"] if settings.norm == "rms" else ["weight", "bias"]
    result = {"embedding": (settings.vocabulary_size, d)}
    for layer in range(settings.layers):
        block = f"blocks.{layer}."
        result |= {f"{block}attention_norm.{part}": (d,) for part in norm_parts}
        queries, projected = settings.heads * settings.d_head, (settings.heads + 2 * settings.key_heads) * settings.d_head
        result |= {f"{block}attention.qkv": (d, projected), f"{block}attention.output": (queries, d)}
        if settings.attention_bias != "none":
            result[f"{block}attention.qkv_bias"] = (projected,)
        if settings.qk_norm != "none":
            keys = settings.key_heads * settings.d_head
            sizes = (settings.d_head,) * 2 if settings.qk_norm == "head" else (queries, keys)
            for name, size in zip(("query_norm", "key_norm"), sizes):
                result[f"{block}attention.{name}.weight"] = (size,)
        if settings.attention_bias == "all":
            result[f"{block}attention.output_bias"] = (d,)
        result |= {f"{block}feed_forward_norm.{part}": (d,) for part in norm_parts}
        if layer in settings.dense_layers:
            h = settings.dense_hidden
            result |= {f"{block}feed_forward.{first}": (d, wide * h), f"{block}feed_forward.down": (h, d)}
            continue
        result |= {f"{block}router": (d, X)}
        result |= {f"{block}experts.{first}": (X, d, wide * f), f"{block}experts.down": (X, f, d)}
        if settings.shared_hidden:
            h = settings.shared_hidden
            result |= {f"{block}shared_experts.{first}": (d, wide * h), f"{block}shared_experts.down": (h, d)}
        if settings.shared_gate:
            result[f"{block}shared_gate"] = (d, 1)
    if settings.final_norm:
        result |= {f"final_norm.{part}": (d,) for part in norm_parts}
    if not settings.tie_embeddings:
        result["head"] = (settings.vocabulary_size, d)
    return result


@dataclass
class Losses:
    """Means over the lanes. `routes` is indexed by lane, then layer."""

    loss: REAL
    load_balance_loss: REAL
    z_loss: REAL
    total_loss: REAL
    routes: list


def losses(parameters, tokens, settings):
    """`total = loss + layer_weight · (load_balance_weight · load_balance + z_loss_weight · z)`.

    tokens: [lanes, sequences, context + 1]

    Returns the losses and what `gradients` needs.
    """
    lanes = [lane_forward(parameters, lane, settings) for lane in tokens]
    routes = [[cache[2] for _, _, _, cache, _ in blocks if cache is not None] for _, (_, blocks, _, _, _) in lanes]
    loss = np.mean(np.array([lane_loss for lane_loss, _ in lanes]))
    balance = np.mean(np.array([sum(load_balance(way) for way in lane) for lane in routes]))
    z_loss = np.mean(np.array([sum(z(way) for way in lane) for lane in routes]))
    balancing = REAL(settings.load_balance_weight) * balance + REAL(settings.z_loss_weight) * z_loss
    total = loss + settings.layer_weight * balancing
    return Losses(loss, balance, z_loss, total, routes), [cache for _, cache in lanes]


def gradients(parameters, caches, settings):
    """The gradient of the total loss for every parameter."""
    result = {name: np.zeros_like(value) for name, value in parameters.items()}
    for cache in caches:
        lane_backward(1 / REAL(len(caches)), parameters, cache, settings, result)
    return result


def lane_forward(parameters, tokens, settings):
    x = parameters["embedding"][tokens[:, :-1]]  # [sequences, context, d_model]
    starts = document_starts(tokens[:, :-1], settings.document_token) if settings.document_token else 0 * tokens[:, :-1]
    blocks = []
    for layer in range(settings.layers):
        x, cache = block_forward(x, starts, parameters, f"blocks.{layer}.", settings)
        blocks.append(cache)
    h, norm_cache = norm(x, parameters, "final_norm", settings) if settings.final_norm else (x, None)
    loss, loss_cache = cross_entropy(rows(h) @ head(parameters).T, tokens[:, 1:].ravel())
    return loss, (tokens, blocks, norm_cache, h, loss_cache)


def lane_backward(dlane, parameters, cache, settings, result):
    """Adds a lane's gradient to `result`; `dlane` is the lane's share of the mean."""
    tokens, blocks, norm_cache, h, loss_cache = cache
    dlogits = cross_entropy_backward(dlane, loss_cache)
    result["embedding" if settings.tie_embeddings else "head"] += dlogits.T @ rows(h)
    dx = (dlogits @ head(parameters)).reshape(h.shape)
    if settings.final_norm:
        dx = norm_backward(dx, norm_cache, "final_norm", settings, result)
    for layer in reversed(range(settings.layers)):
        dx = block_backward(dx, dlane, blocks[layer], f"blocks.{layer}.", settings, result)
    np.add.at(result["embedding"], tokens[:, :-1], dx)


def block_forward(x, starts, parameters, block, settings):
    h, attention_norm = norm(x, parameters, block + "attention_norm", settings)
    y, attention_cache = attention(
        h, starts, parameters[block + "attention.qkv"], parameters.get(block + "attention.qkv_bias", REAL(0)),
        parameters.get(block + "attention.query_norm.weight"), parameters.get(block + "attention.key_norm.weight"),
        parameters[block + "attention.output"], parameters.get(block + "attention.output_bias", REAL(0)),
        settings.key_heads, settings.d_head, settings.rotary)
    x = x + y
    h, feed_forward_norm = norm(x, parameters, block + "feed_forward_norm", settings)
    y, moe_cache, unrouted_cache = feed_forward(rows(h), parameters, block, settings)
    return x + y.reshape(x.shape), (attention_norm, attention_cache, feed_forward_norm, moe_cache, unrouted_cache)


def feed_forward(h, parameters, block, settings):
    """Experts and shared experts, or what a dense layer has; the cache of what is not there is None."""
    y, moe_cache, unrouted_cache = 0, None, None
    if block + "router" in parameters:
        y, moe_cache = moe(h, *(parameters[block + name] for name in routed(settings)), settings)
    names = unrouted(block, parameters, settings)
    if names[0] in parameters:
        added, unrouted_cache = shared_experts(h, *(parameters.get(name) for name in names), settings.activation)
        y = y + added
    return y, moe_cache, unrouted_cache


def routed(settings):
    """The names of what is in a layer with experts."""
    return ["router", f"experts.{settings.projection[0]}", "experts.down"]


def unrouted(block, parameters, settings):
    """The names of what all tokens pass."""
    part = "shared_experts" if block + "router" in parameters else "feed_forward"
    return [f"{block}{part}.{settings.projection[0]}", f"{block}{part}.down", f"{block}shared_gate"]


def block_backward(dx, dlane, cache, block, settings, result):
    attention_norm, attention_cache, feed_forward_norm, moe_cache, unrouted_cache = cache
    dlayer = dlane * settings.layer_weight
    dbalance, dz = dlayer * REAL(settings.load_balance_weight), dlayer * REAL(settings.z_loss_weight)
    dh = 0
    if moe_cache is not None:
        dh, *dweights = moe_backward(rows(dx), dbalance, dz, moe_cache)
        for name, gradient in zip(routed(settings), dweights):
            result[block + name] += gradient
    if unrouted_cache is not None:
        dunrouted, *dweights = shared_experts_backward(rows(dx), unrouted_cache)
        dh = dh + dunrouted
        for name, gradient in zip(unrouted(block, result, settings), dweights):
            if gradient is not None:
                result[name] += gradient
    dx = dx + norm_backward(dh.reshape(dx.shape), feed_forward_norm, block + "feed_forward_norm", settings, result)
    dh, dqkv, dqkv_bias, dq_norm, dk_norm, doutput, doutput_bias = attention_backward(dx, attention_cache)
    result[block + "attention.qkv"] += dqkv
    result[block + "attention.output"] += doutput
    others = {
        "qkv_bias": dqkv_bias, "output_bias": doutput_bias, "query_norm.weight": dq_norm, "key_norm.weight": dk_norm,
    }
    for name, gradient in others.items():
        if block + "attention." + name in result:
            result[block + "attention." + name] += gradient
    return dx + norm_backward(dh, attention_norm, block + "attention_norm", settings, result)


def norm(x, parameters, name, settings):
    if settings.norm == "rms":
        return rms_norm(x, parameters[name + ".weight"])
    return layer_norm(x, parameters[name + ".weight"], parameters[name + ".bias"])


def norm_backward(dy, cache, name, settings, result):
    if settings.norm == "rms":
        dx, dweight = rms_norm_backward(dy, cache)
    else:
        dx, dweight, dbias = layer_norm_backward(dy, cache)
        result[name + ".bias"] += dbias
    result[name + ".weight"] += dweight
    return dx


def head(parameters):
    return parameters.get("head", parameters["embedding"])
