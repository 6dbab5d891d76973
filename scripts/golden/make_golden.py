"""Writes the golden files of Tests/ModelTests/Golden, or checks the ones that are there.

    python scripts/golden/make_golden.py            # writes NAME.h5 for every case
    python scripts/golden/make_golden.py --check    # recomputes and compares, writes nothing

The same NumPy and h5py write the same bytes. Needs NumPy and h5py (requirements.txt) and a second.
"""

import argparse
from pathlib import Path

import h5py
import numpy as np

from cases import CASES, draw, dropped, first_seed, margin
from layers import Rotary
from model import gradients, losses
from routing import capacity

GOLDEN = Path(__file__).resolve().parents[2] / "Tests" / "ModelTests" / "Golden"
TOLERANCE = 1e-13  # relative to the largest value of a dataset


def datasets(settings, seed):
    """Everything a golden file holds, by path, and the routes."""
    parameters, tokens = draw(settings, seed)
    result, caches = losses(parameters, tokens, settings)
    content = {"tokens": tokens, "seed": np.int64(seed), "capacity": np.int64(capacity(settings))}
    for name in ("loss", "load_balance_loss", "z_loss", "total_loss"):
        content[name] = np.float64(getattr(result, name))
    content["dropped"] = dropped(result.routes).astype(np.int64)
    for name, kind in (("chosen", np.int32), ("seated", np.int32), ("gates", np.float64)):
        content[f"routes/{name}"] = np.array([[getattr(way, name) for way in lane] for lane in result.routes], kind)
    for name, gradient in gradients(parameters, caches, settings).items():
        content[f"parameters/{name}"] = parameters[name].astype(np.float32)
        content[f"gradients/{name}"] = gradient.astype(np.float64)
    return content | settings_datasets(settings), result.routes


def settings_datasets(settings):
    values = vars(settings) | {"norm": ["rms", "layer"].index(settings.norm), "lane_tokens": settings.lane_tokens}
    del values["lanes"], values["sequences"]  # the shape of `tokens` says them
    dense = values.pop("dense_layers")
    if dense:
        values["dense_layers"] = sum(1 << layer for layer in dense)
    rotary = vars(values.pop("rotary"))
    if settings.rotary != Rotary():
        values |= {f"rope_{name}": float(value) for name, value in rotary.items() if name != "scaling"}
        values["rope_scaling"] = ["none", "linear", "llama3", "yarn"].index(rotary["scaling"])
    values["activation"] = ["swiglu", "geglu", "gelu", "relu2"].index(settings.activation)
    values["attention_bias"] = ["none", "qkv", "all"].index(settings.attention_bias)
    values["qk_norm"] = ["none", "head", "all"].index(settings.qk_norm)
    for name in ("kv_heads", "head_size", "attention_bias", "qk_norm", "shared_hidden", "shared_gate", "dense_hidden",
                 "document_token", "activation"):  # 0 is the default
        if not values[name]:
            del values[name]
    return {f"settings/{name}": np.array(value, kind_of(value)) for name, value in values.items()}


def kind_of(value):
    return np.float64 if isinstance(value, float) else np.int64


def write(path, content):
    """Contiguous datasets without times, in the oldest format: HDF5 1.10 reads it, and equal content is equal bytes."""
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        for name in sorted(content):
            file.create_dataset(name, data=content[name], track_times=False)


def differences(path, content):
    """What of a stored file does not agree with `content`: floats to rounding, everything else exactly."""
    with h5py.File(path, "r") as file:
        stored = []
        file.visititems(lambda name, item: stored.append(name) if isinstance(item, h5py.Dataset) else None)
        yield from sorted(set(stored) ^ set(content))
        for name in sorted(set(stored) & set(content)):
            there, here = file[name][()], content[name]
            allowed = TOLERANCE * np.max(np.abs(here)) if here.dtype == np.float64 else 0
            if there.shape != here.shape or there.dtype != here.dtype or not np.all(np.abs(there - here) <= allowed):
                yield name


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare with the files that are there")
    check = arguments.parse_args().check
    wrong = False
    for name, settings in CASES.items():
        seed = first_seed(settings)
        content, routes = datasets(settings, seed)
        path = GOLDEN / f"{name}.h5"
        if check:
            differing = list(differences(path, content))
            wrong |= bool(differing)
            verdict = "differs in " + ", ".join(differing) if differing else "agrees"
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, content)
            verdict = f"{path.stat().st_size} bytes"
        print(
            f"{name}: seed {seed}, capacity {content['capacity']}, dropped {content['dropped'].tolist()} of "
            f"{routes[0][0].chosen.size}, margin {margin(routes, settings.choices):.1e}, "
            f"loss {content['loss']:.6f}, {verdict}"
        )
    return int(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
