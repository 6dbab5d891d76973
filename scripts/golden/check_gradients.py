"""Checks the reference's analytic gradients by central differences, case by case.

    python scripts/golden/check_gradients.py

In every parameter it moves the entries with the largest gradients and some others, by ±STEP; the error is relative to
the parameter's largest gradient. Takes about a minute.
"""

import numpy as np

from cases import CASES, draw, first_seed
from layers import REAL
from model import gradients, losses

STEP = REAL(2) ** -18  # truncation about 1e-11, rounding about 1e-13, and too small to change a route
ENTRIES = 16
TOLERANCE = 1e-8


def entries(gradient, random):
    """Flat indices: half the largest, half anywhere."""
    largest = np.argsort(-np.abs(gradient), axis=None, kind="stable")[: ENTRIES // 2]
    return {int(index) for index in largest} | {random.randint(gradient.size) for _ in range(ENTRIES // 2)}


def central_difference(parameters, name, index, tokens, settings):
    totals = []
    for step in (STEP, -STEP):
        moved = parameters[name].copy()
        moved.flat[index] += step
        totals.append(losses(parameters | {name: moved}, tokens, settings)[0].total_loss)
    return (totals[0] - totals[1]) / (2 * STEP)


def largest_error(settings):
    parameters, tokens = draw(settings, first_seed(settings))
    analytic = gradients(parameters, losses(parameters, tokens, settings)[1], settings)
    random = np.random.RandomState(0)
    errors = {}
    for name, gradient in analytic.items():
        gaps = [
            abs(gradient.flat[index] - central_difference(parameters, name, index, tokens, settings))
            for index in sorted(entries(gradient, random))
        ]
        errors[name] = max(gaps) / np.max(np.abs(gradient))
    worst = max(errors, key=errors.get)
    return worst, errors[worst]


def main():
    wrong = False
    for name, settings in CASES.items():
        worst, error = largest_error(settings)
        wrong |= not error < TOLERANCE
        print(f"{name}: largest relative error {error:.1e}, in {worst}")
    return int(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
