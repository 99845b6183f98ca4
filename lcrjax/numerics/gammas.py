"""Ratios of gamma functions in float64, without the digits that differences of their logs lose."""

from typing import Any

import numpy as np
from jaxtyping import Float, Num

_SHIFT = 16  # from where on Stirling's series has float64's digits
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)


def log_gamma_rate(z: Num[np.ndarray, "..."], k: Any) -> Float[np.ndarray, "..."]:
    r"""$(\log\Gamma(z) - \log\Gamma(z - k)) / k$, at k = 0 the digamma function of z.

    Args:
        z: Positive numbers, of at least one dimension.
        k: Any numbers below z.
    """
    z, k = np.broadcast_arrays(np.asarray(z, np.float64), np.asarray(k, np.float64))
    below = 1 / (z[None] + np.arange(_SHIFT).reshape(-1, *(1,) * z.ndim))
    rate = np.sum(_log_rate(k[None] * below) * below, axis=0)
    z = z + _SHIFT
    w = z - k
    a, b = 1 / z, 1 / w
    rate += np.log(z) - (w - 0.5) * a * _log_rate(k * a) - 1
    quotient, power = np.ones(z.shape), np.ones(z.shape)
    for i, factor in enumerate(_STIRLING):
        # of (a^i - b^i) by (a - b), where a - b = -k a b
        rate -= factor * a * b * quotient
        for _ in range(2 if i + 1 < len(_STIRLING) else 0):
            power = power * b
            quotient = a * quotient + power
    return rate


def log_choose_ratio(
    a: Num[np.ndarray, "..."], b: float, m: Num[np.ndarray, "..."]
) -> Float[np.ndarray, "..."]:
    r"""$\log \binom{a}{m} / \binom{b}{m}$ for whole numbers a <= b; minus infinity where a < m."""
    a, m = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(m, np.float64))
    possible, gap = a >= m, b - a
    k = np.where(possible, np.minimum(gap, m), 0)  # the fewer factors of either form
    rest = np.where(possible, np.where(gap < m, b - m, a), b)
    logs = k * (log_gamma_rate(rest + 1, k) - log_gamma_rate(np.full(a.shape, b + 1), k))
    return np.where(possible, logs, -np.inf)


def _log_rate(u: Float[np.ndarray, "*m"]) -> Float[np.ndarray, "*m"]:
    """`log(1 - u) / u`, minus one at zero."""
    small = np.abs(u) < 1e-8
    safe = np.where(small, 0.5, u)
    return np.where(small, -1 - u / 2, np.log1p(-safe) / safe)
