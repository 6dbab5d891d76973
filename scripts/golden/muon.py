"""Writes Tests/OptimizationTests/Golden/muon.json: updates by Muon in extended precision, or checks what is there (`--check`).

Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024); weight decay and the size of updates: Liu et
al., "Muon is Scalable for LLM Training" (arXiv:2502.16982), equation 4. As Jordan's program does, the moment is an average.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from layers import REAL

GOLDEN = Path(__file__).resolve().parents[2] / "Tests" / "OptimizationTests" / "Golden" / "muon.json"
TOLERANCE = 1e-13  # relative to the largest number of a list

SETTINGS = {"learning_rate": 0.02, "momentum": 0.95, "weight_decay": 0.1, "gradient_scale": 0.5}
SHAPES = [(4, 4), (3, 8), (9, 5), (1, 6), (7, 1)]
STEPS = 3


def orthogonalized(matrix):
    """Five steps of the quintic iteration, on the transpose where the matrix is tall."""
    a, b, c = (REAL(number) for number in ("3.4445", "-4.7750", "2.0315"))
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (np.sqrt(np.sum(x * x)) + REAL("1e-7"))
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def update(weights, moment, gradient):
    """`(weights, moment)` after one step."""
    rate, momentum, decay, scale = (REAL(str(SETTINGS[key])) for key in SETTINGS)
    gradient = scale * gradient
    moment = momentum * moment + (1 - momentum) * gradient
    direction = orthogonalized(momentum * moment + (1 - momentum) * gradient)
    size = REAL("0.2") * np.sqrt(REAL(max(weights.shape)))
    return weights - rate * (size * direction + decay * weights), moment


def numbers(matrix):
    return [float(number) for number in matrix.ravel()]


def case(shape, seed):
    random = np.random.RandomState(seed)  # frozen, newer generators may change
    draw = lambda: random.uniform(-1, 1, shape).astype(np.float32).astype(REAL)
    weights, moment, gradients = draw(), np.zeros(shape, REAL), [draw() for _ in range(STEPS)]
    result = {"rows": shape[0], "columns": shape[1], "weights": numbers(weights)}
    result["gradients"] = [numbers(gradient) for gradient in gradients]
    result["after"] = []
    for gradient in gradients:
        weights, moment = update(weights, moment, gradient)
        result["after"].append(numbers(weights))
    result["moment"] = numbers(moment)
    return result


def agree(found, expected):
    """Whether two values are the same to rounding, whatever lists and dictionaries they are."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(agree(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        if expected and isinstance(expected[0], float):
            bound = TOLERANCE * max(abs(number) for number in expected)
            return len(found) == len(expected) and all(abs(a - b) <= bound for a, b in zip(found, expected))
        return len(found) == len(expected) and all(map(agree, found, expected))
    return found == expected


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="recomputes and compares, writes nothing")
    content = {"settings": SETTINGS, "cases": [case(shape, seed) for seed, shape in enumerate(SHAPES)]}
    if not parser.parse_args().check:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(content, indent=1) + "\n")
    elif not agree(json.loads(GOLDEN.read_text()), content):
        raise SystemExit(f"{GOLDEN} is not what this script computes")


if __name__ == "__main__":
    main()
