#!/usr/bin/env python3
"""Minima of the fits' objective by SciPy, from many starts: an independent reference for `switchyard fit`.

    law-checks tables DIRECTORY COUNT        # tables, and objectives.csv with what the fits reach
    fit-reference.py DIRECTORY [STARTS]      # needs numpy and scipy

Laws, bounds and objective are written out here once more; objectives.csv may have columns `weights` (equal or loss) and
`decay` of it. Starts are drawn inside each law's usual range; every one goes
through L-BFGS-B on a smoothed Huber loss whose smoothing goes to zero, the best ones then through Nelder-Mead restarts.
Prints the tables whose fit is above SciPy's minimum by more than a millionth, and the counts; leaves the minima in
DIRECTORY/reference.csv.
"""
import csv
import sys

import numpy as np
from scipy.optimize import minimize

SAT = [(np.log(0.1), np.log(1e3)), (np.log(2), np.log(1e8))]
COEFFICIENT = (np.log(1e-9), np.log(1e26))
EXPONENT = (0, 3)
LAWS = {
    # bounds of theta, range of starts; coefficients and saturation as logarithms
    "chinchilla": ([COEFFICIENT] * 3 + [EXPONENT] * 2, [(-1, 1), (2, 14), (2, 14), (0.1, 0.8), (0.1, 0.8)]),
    "joint": (
        [COEFFICIENT, (-3, 0), (-5, 5), (-0.5, 0.5), COEFFICIENT, (-3, 0), (-5, 5), (-0.5, 0.5)] + SAT + [COEFFICIENT],
        [(2, 6), (-0.5, -0.05), (-0.6, 0.6), (-0.05, 0.05), (2, 6), (-0.5, -0.05), (-0.6, 0.9), (-0.05, 0.05), (-1, 3),
         (2.5, 8), (-0.7, 0.7)]),
    "fine-grained": (
        [COEFFICIENT, EXPONENT, COEFFICIENT, EXPONENT, COEFFICIENT, EXPONENT, COEFFICIENT],
        [(0, 6), (0.05, 0.5), (0, 6), (0.05, 0.5), (-1, 3), (0.1, 1.5), (-2, 1)]),
    "sparsity": (
        [COEFFICIENT, EXPONENT, COEFFICIENT, EXPONENT, COEFFICIENT, (-3, 3), COEFFICIENT, (-3, 3), EXPONENT, COEFFICIENT],
        [(4, 12), (0.2, 0.8), (4, 12), (0.2, 0.8), (-3, 1), (-0.5, 0.3), (0, 5), (0, 0.5), (0.05, 0.4), (-1, 1)]),
    "routed": (
        [(-3, 0), (-3, 3), (-0.5, 0.5), (-10, 20)] + SAT,
        [(-0.2, -0.03), (-0.3, 0.1), (-0.02, 0.02), (0.5, 1.5), (-1, 3), (3, 8)]),
    "inference": (
        [COEFFICIENT, EXPONENT, COEFFICIENT, EXPONENT, COEFFICIENT, EXPONENT, COEFFICIENT, (-0.2, 0.2)] + SAT,
        [(1, 7), (0.1, 0.6), (-2, 1), (0.1, 1.5), (1, 9), (0.1, 0.6), (-1, 1), (-0.005, 0.005), (-1, 2), (3, 8)]),
    "comprehensive": (
        [(np.log(1e-6), np.log(1e4))] * 3 + [(-100, 100)] + [COEFFICIENT] * 3
        + [EXPONENT, COEFFICIENT, EXPONENT, COEFFICIENT, COEFFICIENT],
        [(-3, 0), (0, 3), (1, 3), (-3, 0), (-9, -4), (-5, -1), (2, 5), (0.15, 0.4), (5, 11), (0.2, 0.5), (2, 5), (-0.5, 0.7)]),
    "leverage": (
        [(-10, 10), (-2, 2), (-1, 1), (-3, 3), (np.log(1e-6), np.log(1e2)), (np.log(0.02), np.log(1e19))],
        [(0, 2), (-0.1, 0), (0, 0.05), (-0.3, 0), (-6, -2), (0, 10)]),
}


def effective(theta_s, theta_m, extra):
    """ln of the effective number of experts, and its derivatives by both coordinates."""
    s, m = np.exp(theta_s), np.exp(theta_m)
    shifted = extra + s
    e = 1 / (1 / shifted + 1 / m)
    return np.log(e), e * s / shifted**2, e / m


def terms(law, t, x):
    """u [terms, runs] and du/dtheta [terms, coordinates, runs]."""
    one, zero = np.ones_like(x["n"]), np.zeros_like(x["n"])
    n, d = np.log(x["n"]), np.log(x["d"])
    total, body = np.log(x["total"]), np.log(x["total"] - x["embedding"])
    if law == "chinchilla":
        u = [t[0] * one, t[1] - t[3] * n, t[2] - t[4] * d]
        j = [[one, zero, zero, zero, zero], [zero, one, zero, -n, zero], [zero, zero, one, zero, -d]]
    elif law == "joint":
        e, es, em = effective(t[8], t[9], x["experts"] - 1)
        u = [t[0] + t[2] * e + (t[1] + t[3] * e) * n, t[4] + t[6] * e + (t[5] + t[7] * e) * d, t[10] * one]
        first, second = t[2] + t[3] * n, t[6] + t[7] * d
        j = [[one, n, e, e * n, zero, zero, zero, zero, first * es, first * em, zero],
             [zero, zero, zero, zero, one, d, e, e * d, second * es, second * em, zero], [zero] * 10 + [one]]
    elif law == "fine-grained":
        g = np.log(x["granularity"])
        u = [t[0] - t[1] * body, t[2] - t[3] * d, t[4] - t[5] * g - t[1] * body, t[6] * one]
        j = [[one, -body] + [zero] * 5, [zero, zero, one, -d, zero, zero, zero], [zero, -body, zero, zero, one, -g, zero],
             [zero] * 6 + [one]]
    elif law == "sparsity":
        w = np.log(x["top_k"] / x["experts"])
        u = [t[0] - t[1] * total, t[2] - t[3] * d, t[4] - t[5] * w, t[6] - t[7] * w - t[8] * total, t[9] * one]
        j = [[one, -total] + [zero] * 8, [zero, zero, one, -d] + [zero] * 6, [zero] * 4 + [one, -w] + [zero] * 4,
             [zero] * 6 + [one, -w, -total, zero], [zero] * 9 + [one]]
    elif law == "routed":
        e, es, em = effective(t[4], t[5], x["experts"] - 1)
        k = 1 / np.log(10)
        u = [t[0] * n + t[1] * e + t[2] * n * e * k + t[3] / k]
        by_e = t[1] + t[2] * n * k
        j = [[n, e, n * e * k, one / k, by_e * es, by_e * em]]
    elif law == "inference":
        e, es, em = effective(t[8], t[9], x["experts"] - 1)
        shared = t[7] * n * e
        u = [t[0] - t[1] * n + shared, t[2] - t[3] * e + shared, t[4] - t[5] * d + shared, t[6] + shared]
        j = [[zero] * 10 for _ in range(4)]
        j[0][0], j[0][1], j[1][2], j[1][3], j[2][4], j[2][5], j[3][6] = one, -n, one, -e, one, -d, one
        for k in range(4):
            by_e = t[7] * n - (t[3] if k == 1 else 0)
            j[k][7], j[k][8], j[k][9] = n * e, by_e * es, by_e * em
    elif law == "comprehensive":
        g, s = x["top_k"] * x["granularity"], x["shared_ratio"]
        parts = [np.exp(t[0]) * g, np.exp(t[1]) / g, np.exp(t[2]) * s**2, s]
        q = np.maximum(parts[0] + parts[1] + parts[2] + t[3] * s, 1e-9)  # not above zero: no law there
        inner = [part / q for part in parts]
        w = np.log(q)
        u = [w - t[7] * total, w + t[4] - t[7] * n, w + t[5] + n - total, t[6] - t[7] * total, t[8] - t[9] * d,
             t[10] - t[7] * n, t[11] * one]
        j = [inner + [zero] * 3 + [-total] + [zero] * 4, inner + [one, zero, zero, -n] + [zero] * 4,
             inner + [zero, one] + [zero] * 6, [zero] * 6 + [one, -total] + [zero] * 4, [zero] * 8 + [one, -d, zero, zero],
             [zero] * 7 + [-n, zero, zero, one, zero], [zero] * 11 + [one]]
    else:
        e, es, em = effective(t[4], t[5], x["top_k"] / x["experts"])
        g, c = np.log2(x["granularity"]), np.log10(x["flops"])
        power = t[0] + t[1] * c + t[2] * g**2 + t[3] * g
        u = [power * e]
        j = [[e, c * e, g**2 * e, g * e, power * es, power * em]]
    return np.array(u), np.array(j)


def objective(law, t, x, y, delta, smooth=0.0):
    """Sum of weighted Huber losses and the decay, x["decay"]/2 of t squared; and the gradient."""
    u, j = terms(law, t, x)
    top = u.max(axis=0)
    share = np.exp(u - top)
    total = share.sum(axis=0)
    r = top + np.log(total) - y
    slope = np.einsum("kr,kjr->jr", share / total, j)
    w, penalty = x["weight"], x["decay"] / 2 * (t**2).sum()
    if smooth:  # pseudo-Huber: smooth everywhere
        root = np.sqrt(1 + (r / delta) ** 2)
        return (w * delta**2 * (root - 1)).sum() + penalty, slope @ (w * r / root) + x["decay"] * t
    c = np.clip(r, -delta, delta)
    return (w * c * (r - c / 2)).sum() + penalty, slope @ (w * c) + x["decay"] * t


def best(law, x, y, delta, starts, seed):
    random = np.random.default_rng(seed)
    bounds, ranges = LAWS[law]
    low, high = np.array(ranges).T
    ends = []
    for _ in range(starts):
        t = low + (high - low) * random.random(len(low))
        for smooth in (1, 0, 0):
            found = minimize(lambda z: objective(law, z, x, y, delta, smooth), t, jac=True, method="L-BFGS-B", bounds=bounds,
                             options={"maxiter": 3000, "maxfun": 5000, "ftol": 1e-15, "gtol": 1e-12, "maxcor": 30})
            t = found.x
        ends.append((found.fun, t))
    ends.sort(key=lambda end: end[0])
    value, t = ends[0]
    lower, upper = np.array(bounds).T
    for _ in range(6):
        found = minimize(lambda z: objective(law, np.clip(z, lower, upper), x, y, delta)[0], t, method="Nelder-Mead",
                         options={"maxiter": 4000, "maxfev": 4000, "xatol": 1e-12, "fatol": 1e-18, "adaptive": True})
        polished = minimize(lambda z: objective(law, z, x, y, delta), np.clip(found.x, lower, upper), jac=True,
                            method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-13})
        gain = value - min(found.fun, polished.fun)
        if polished.fun <= found.fun:
            value, t = min((value, t), (polished.fun, polished.x), key=lambda end: end[0])
        else:
            value, t = min((value, t), (found.fun, np.clip(found.x, lower, upper)), key=lambda end: end[0])
        if gain < 1e-9 * value:
            break
    return value, t


def main():
    directory, starts = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    counts, worst, minima = {}, 0.0, ["table,law,minimum"]
    for row in csv.DictReader(open(f"{directory}/objectives.csv")):
        law, runs = row["law"], list(csv.DictReader(open(f"{directory}/{row['table']}")))
        default = {"n_embedding": 0, "granularity": 1, "top_k": 1, "shared_ratio": 0, "flops": 1, "tokens": 1}
        column = lambda name: np.array([float(run.get(name, default.get(name))) for run in runs])
        x = {"n": column("n_active"), "total": column("n_total"), "embedding": column("n_embedding"), "d": column("tokens"),
             "experts": column("experts"), "granularity": column("granularity"), "top_k": column("top_k"),
             "shared_ratio": column("shared_ratio"), "flops": column("flops")}
        y = np.log(column("leverage" if law == "leverage" else "loss"))
        losses = np.exp(y)
        x["weight"] = 1 / losses / (1 / losses).mean() if row.get("weights") == "loss" else np.ones_like(y)
        x["decay"] = float(row.get("decay") or 0)
        value, theta = best(law, x, y, float(row["huber"]), starts, 1)
        minima.append(f"{row['table']},{law},{float(value)!r}")
        above = float(row["objective"]) / value - 1
        if not above <= 1e-6:
            print(f"{row['table']}: the fit's {row['objective']} is {100 * above:.4g} % above {float(value)!r} at {theta.tolist()}")
        worst = max(worst, above)
        fits, missed, better = counts.get(law, (0, 0, 0))
        counts[law] = (fits + 1, missed + (not above <= 1e-6), better + (above < -1e-6))
        sys.stdout.flush()
    with open(f"{directory}/reference.csv", "w") as file:
        file.write("\n".join(minima) + "\n")
    for law, (fits, missed, better) in counts.items():
        print(f"{law}: {fits} tables, {missed} fits above SciPy's minimum, {better} below it")
    print(f"largest: {100 * worst:.3g} %")


if __name__ == "__main__":
    main()
