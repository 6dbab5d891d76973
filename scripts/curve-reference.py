#!/usr/bin/env python3
"""References for the minima of curves, `fit --law isoflop` and `--law learning-rate`: tables of simulated runs and what NumPy finds in them.

    curve-reference.py DIRECTORY        # needs numpy and scipy; Tests/PlanningTests/Tables holds what it wrote

Writes isoflop and sweep, each as .csv and .json. Knows nothing of the program: which runs form a curve is known from how they were made.
"""
import csv
import json
import sys

import numpy as np
from scipy.stats import t as student


def joint(n, d, experts):
    """The joint law (arXiv:2502.05172) with the published coefficients."""
    start, most = 2.0732, 290.4521
    e = np.log(1 / (1 / (experts - 1 + 1 / (1 / start - 1 / most)) + 1 / most))
    return (35.91 * np.exp(-0.2285 * e) * n ** (-0.1889 + 0.0098 * e)
            + 35.98 * np.exp(0.5529 * e) * d ** (-0.1775 - 0.0259 * e) + 1.3637)


def parabola(x, y):
    """Place, value and curvature of the least-squares parabola's lowest point."""
    middle = x.mean()
    c, b, a = np.polyfit(x - middle, y, 2)
    return middle - b / (2 * c), a - b * b / (4 * c), c


def power(logs, target):
    """Coefficients of the regression of target on 1 and logs, and their 80 % half widths."""
    x = np.column_stack([np.ones(len(target))] + logs)
    found, *_ = np.linalg.lstsq(x, target, rcond=None)
    freedom = len(target) - x.shape[1]
    variance = ((target - x @ found) ** 2).sum() / freedom
    spread = np.sqrt(variance * np.diag(np.linalg.inv(x.T @ x)))
    return found.tolist(), (student.ppf(0.9, freedom) * spread).tolist()


def write(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def isoflop(directory):
    random, rows, groups = np.random.default_rng(7), [], []
    for experts in (1, 8, 32):
        for budget in (1e18, 1e19, 1e20, 1e21):
            sizes = np.exp(np.linspace(np.log(1e6), np.log(1e12), 60001))
            best = sizes[joint(sizes, budget / (6 * sizes), experts).argmin()]
            # At 1e21 FLOPs no runs of 8 experts are smaller than the best, and those of 32 have three sizes.
            offsets = np.linspace(0.3, 2, 7) if (experts, budget) == (8, 1e21) else np.linspace(-1.2, 1.2, 7)
            if (experts, budget) == (32, 1e21):
                offsets = np.array([-1, 0, 1, 1])
            n = np.round(best * np.exp(offsets))
            flops = budget * np.exp(random.uniform(-0.01, 0.01, len(n)))
            d = np.round(flops / (6 * n))
            loss = np.round(joint(n, d, experts) + 0.002 * random.standard_normal(len(n)), 6)
            total = np.round(n * (1 + 0.6 * (experts - 1)))
            group = [dict(n_active=int(a), n_total=int(b), tokens=int(c), flops=repr(float(f)), experts=experts, loss=float(l))
                     for a, b, c, f, l in zip(n, total, d, flops, loss)]
            rows += group
            groups.append((experts, budget, group))
    column = lambda group, name: np.array([float(row[name]) for row in group])
    optima, surfaces = [], []
    for experts, budget, group in groups:
        if experts > 1 and budget == 1e21:
            continue
        x = np.log(column(group, "n_active"))
        place, loss, curvature = parabola(x, column(group, "loss"))
        tokens = np.polyval(np.polyfit(x - place, np.log(column(group, "tokens")), 2), 0)
        optima.append(dict(experts=experts, flops=float(np.exp(np.log(column(group, "flops")).mean())), runs=len(group),
                           active=float(np.exp(place)), tokens=float(np.exp(tokens)), loss=loss, curvature=curvature))
    growths = []
    for experts in (1, 8, 32):
        mine = [optimum for optimum in optima if optimum["experts"] == experts]
        logs = {key: np.log([optimum[key] for optimum in mine]) for key in ("flops", "active", "tokens")}
        active, width = power([logs["flops"]], logs["active"])
        tokens, _ = power([logs["flops"]], logs["tokens"])
        growths.append(dict(experts=experts, active=active, active_half_width=width[1], tokens=tokens))
    for budget in (1e18, 1e19, 1e20, 1e21):
        group = [row for _, b, rows_ in groups if b == budget for row in rows_]
        n, s = np.log(column(group, "n_total")), np.log(column(group, "experts"))
        x = np.column_stack([np.ones(len(n)), n, n**2, s, s**2, n * s, (n * s) ** 2])
        found, *_ = np.linalg.lstsq(x / np.abs(x).max(axis=0), column(group, "loss"), rcond=None)
        error = np.sqrt(((column(group, "loss") - x / np.abs(x).max(axis=0) @ found) ** 2).sum() / (len(n) - 7))
        surfaces.append(dict(budget=budget, runs=len(n), coefficients=(found / np.abs(x).max(axis=0)).tolist(), error=error))
    write(f"{directory}/isoflop.csv", rows)
    with open(f"{directory}/isoflop.json", "w") as file:
        json.dump(dict(optima=optima, growths=growths, surfaces=surfaces), file, indent=1)


def sweep(directory):
    """Half-octaves of the learning rate around the joint study's rule, for three sizes, three E and two lengths."""
    random, rows, optima = np.random.default_rng(8), [], []
    for experts in (1, 4, 16):
        for n in (3e7, 1e8, 3e8):
            for d in (1e9, 4e9):
                best = np.exp(8.39 - 0.81 * np.log(n) - 0.25 * np.log(experts) - 0.05 * np.log(d / 2e9)
                              + 0.05 * random.standard_normal())
                rates = best * 2.0 ** (np.arange(-3, 4) / 2 + random.uniform(-0.2, 0.2))
                loss = np.round(joint(n, d, experts) + 0.02 * np.log(rates / best) ** 2
                                + 0.001 * random.standard_normal(len(rates)), 6)
                rates = np.array([float(f"{rate:.6g}") for rate in rates])
                rows += [dict(n_active=int(n), tokens=int(d), experts=experts, learning_rate=float(rate), loss=float(value))
                         for rate, value in zip(rates, loss)]
                place, value, _ = parabola(np.log(rates), loss)
                optima.append(dict(experts=experts, active=n, tokens=d, best=float(np.exp(place)), loss=value))
    logs = {key: np.log([optimum[key] for optimum in optima]) for key in ("active", "experts", "tokens", "best")}
    found, width = power([logs["active"], logs["experts"], logs["tokens"]], logs["best"])
    write(f"{directory}/sweep.csv", rows)
    with open(f"{directory}/sweep.json", "w") as file:
        json.dump(dict(optima=optima, coefficients=found, half_widths=width), file, indent=1)


if __name__ == "__main__":
    isoflop(sys.argv[1])
    sweep(sys.argv[1])
