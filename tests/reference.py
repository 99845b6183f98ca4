"""Independent references: the definitions of the measures, in NumPy float64 and in mpmath."""

import mpmath
import numpy as np

MEASURES = (
    "alpha",
    "rho",
    "beta",
    "gamma",
    "normalized_alpha",
    "normalized_rho",
    "normalized_beta",
    "rho_hat",
    "beta_hat",
)


def exact(x):
    """Lift floats into mpmath numbers, without rounding."""
    return np.vectorize(lambda v: mpmath.mpf(float(v)), otypes=[object])(np.asarray(x))


def exact_power_mean(order, weights, items):
    """Weighted power mean over the support of the weights, in mpmath; items may be 0 or inf."""
    with mpmath.workdps(60):
        kept = [
            (mpmath.mpf(w), mpmath.mpf(x)) for w, x in zip(weights, items, strict=True) if w > 0
        ]
        items = [x for _, x in kept]
        mass = mpmath.fsum(w for w, _ in kept)
        order = mpmath.mpf(order)
        if mpmath.isinf(order):
            return max(items) if order > 0 else min(items)
        if order <= 0 and min(items) == 0:
            return mpmath.mpf(0)
        if order >= 0 and max(items) == mpmath.inf:
            return mpmath.inf
        if abs(order) < 1e-30 and min(items) > 0 and max(items) < mpmath.inf:  # all digits agree
            return mpmath.exp(mpmath.fsum(w * mpmath.log(x) for w, x in kept) / mass)

        def power(x):
            if x == 0 or x == mpmath.inf:
                return mpmath.mpf(0)
            return x**order

        return (mpmath.fsum(w * power(x) for w, x in kept) / mass) ** (1 / order)


def plain_power_mean(order, weights, items):
    """The same in NumPy float64, for positive items."""
    weights, items = np.asarray(weights, float), np.asarray(items, float)
    w, log = weights[weights > 0] / weights.sum(), np.log(items[weights > 0])
    if np.isinf(order):
        return np.exp(log.max() if order > 0 else log.min())
    centre = np.sum(w * log)
    if abs(order) * np.max(np.abs(log - centre)) < 0.1:
        series = np.log1p(np.sum(w * np.expm1(order * (log - centre)))) / order if order else 0
        return np.exp(centre + series)
    top = np.max(order * log)
    return np.exp((top + np.log(np.sum(w * np.exp(order * log - top)))) / order)


def family(abundance, weighed, q, power_mean=plain_power_mean, dtype=float):
    """Every measure at every q, from the table of definitions: (class level, dataset level, CB).

    `weighed` is Z P. Classes without elements are left out by the caller.
    """
    n_classes = abundance.shape[1]
    w = abundance.sum(axis=0)
    everyone = weighed.sum(axis=1)
    classes = {name: [] for name in MEASURES}
    dataset = {name: [] for name in MEASURES}
    balance = []
    for order in q:
        level = {name: [] for name in MEASURES}
        for j in range(n_classes):
            own = abundance[:, j] > 0
            share = abundance[own, j] / w[j]
            zp, zj = everyone[own], weighed[own, j]
            r = 1 - order
            rho = power_mean(r, share, zp / zj)
            bar = power_mean(r, share, zp / (zj / w[j]))
            level["alpha"].append(power_mean(r, share, 1 / zj))
            level["normalized_alpha"].append(power_mean(r, share, 1 / (zj / w[j])))
            level["gamma"].append(power_mean(r, share, 1 / zp))
            level["rho"].append(rho)
            level["beta"].append(1 / rho)
            level["normalized_rho"].append(bar)
            level["normalized_beta"].append(1 / bar)
            several = n_classes > 1
            level["rho_hat"].append((rho - 1) / (n_classes - 1) if several else rho)
            level["beta_hat"].append((n_classes / rho - 1) / (n_classes - 1) if several else rho)
        for name in MEASURES:
            classes[name].append(level[name])
            # A power mean of negative numbers is none; orders 1 and -inf still have sense.
            signed = min(level[name]) <= 0
            dataset[name].append(
                _signed(order, w, level[name]) if signed else power_mean(r, w, level[name])
            )
        balance.append(power_mean(1 - order, w, 1 / w))

    def arrays(table):
        return {name: np.array(table[name], dtype) for name in MEASURES}

    return arrays(classes), arrays(dataset), np.array(balance, dtype)


def _signed(order, weights, items):
    if order == 0:
        return sum(w * x for w, x in zip(weights, items, strict=True))
    return min(items) if np.isinf(order) else np.nan
