r"""Quadratic programme of the most diverse mixture: the least $p^T Z p$ over the simplex.

With $w = p / p^T Z p$ it is the least of $w^T Z w / 2 - \sum_i w_i$ over $w \ge 0$, whose
conditions are $(Z w)_i = 1$ where $w_i > 0$, and at least one elsewhere.
"""

import itertools
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_GOAL = 1e-12  # residual at which nothing is left to gain
_STEPS, _ROUNDS = 100, 5
_STAY = 0.9995  # part of the way to the boundary that a step goes at most
_SUBSETS_AT_ONCE = 2**14


class Solution(NamedTuple):
    """A mixture, and how well it meets the conditions of the best."""

    p: Float[np.ndarray, " n"]
    value: float
    residual: float


def judged(z: Float[np.ndarray, "n n"], w: Float[np.ndarray, " n"]) -> Solution:
    """Normalise weights, and see how far they are off the conditions."""
    p = w / w.sum()
    ordinariness = z @ p
    value = 1 / float(p @ ordinariness)
    gap = value * ordinariness - 1
    return Solution(p, value, float(np.where(p > 0, np.abs(gap), -gap).max(initial=0)))


def least_on_simplex(z: Float[np.ndarray, "n n"], room: float) -> Solution:
    """Solve the programme of a positive semi-definite Z, singular or not.

    By an interior point method, on Z with a little more on its diagonal; where this shows in the
    residual, once more as near as possible to what was found (proximal points). Elements that are
    alike get alike weights.

    Args:
        z: Symmetric, with similarities of at least 0 and a diagonal above 0.
        room: How negative rounding may have made an eigenvalue.

    References:
        Mehrotra (1992), On the implementation of a primal-dual interior point method; Rockafellar
        (1976), Monotone operators and the proximal point algorithm.
    """
    w = 1 / z.sum(axis=1)
    w *= w.sum() / (w @ z @ w)
    best = judged(z, w)
    for _ in range(_ROUNDS):
        w, found = _interior(z, w, 2 * room)
        if found.residual >= best.residual:
            break
        best = found
        if best.residual <= _GOAL:
            break
    return best


def _interior(
    z: Float[np.ndarray, "n n"], near: Float[np.ndarray, " n"], more: float
) -> tuple[Float[np.ndarray, " n"], Solution]:
    """Least w z w / 2 - sum(w) + more |w - near|² / 2 over w >= 0.

    Steps in weights w and slacks s = gradient towards w s = 0, both above zero.

    Returns:
        The weights, and the solution that is left of them where w is not as small as its slack.
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    n, diagonal = len(z), np.diag_indices(len(z))
    w = near + 0.01 * near.mean()
    s = np.maximum(z @ w - 1, 0) + 0.1
    best = w, judged(z, w)
    for _ in range(_STEPS):
        off = z @ w + more * (w - near) - 1 - s
        gap = w @ s / n
        h = z.copy()
        h[diagonal] += more + s / w
        try:
            factor = cho_factor(h, overwrite_a=True, check_finite=False)
        except LinAlgError:  # nothing but rounding is left
            break
        first = cho_solve(factor, -off - s)
        slack = -s - s / w * first
        part = min(_way(w, first), _way(s, slack))
        aim = ((w + part * first) @ (s + part * slack) / n / gap) ** 3 * gap
        pull = (aim - first * slack) / w
        step = cho_solve(factor, pull - off - s)
        slack = pull - s - s / w * step
        part = _STAY * min(_way(w, step), _way(s, slack))
        w, s = w + part * step, s + part * slack
        kept = np.where(n * w > s, w, 0)
        if kept.any() and (found := judged(z, kept)).residual < best[1].residual:
            best = kept, found
        if best[1].residual <= _GOAL or gap < 1e-24:
            break
    return best


def _way(x: Float[np.ndarray, " n"], step: Float[np.ndarray, " n"]) -> float:
    """How much of a step leaves all numbers above zero, at most the whole."""
    down = step < 0
    return float(np.min(-x[down] / step[down], initial=1 / _STAY))


def best_of_subsets(z: Float[np.ndarray, "n n"]) -> Solution:
    """The best mixture of few elements under any symmetric Z: every subset is tried.

    Of subsets whose similarities have a weighting that is nowhere negative the one of largest
    magnitude holds the best mixture. Singular ones are left out: a smaller subset does as well.

    References:
        Leinster & Meckes (2016), theorem 2 and section 7.
    """
    n = len(z)
    best, value = np.eye(n)[0], 1 / z[0, 0]
    for size in range(1, n + 1):
        subsets = itertools.combinations(range(n), size)
        while len(chosen := np.array(list(itertools.islice(subsets, _SUBSETS_AT_ONCE)))):
            inside = z[chosen[:, :, None], chosen[:, None, :]]
            regular = np.linalg.det(inside) != 0
            chosen, inside = chosen[regular], inside[regular]
            w = np.linalg.solve(inside, np.ones((*chosen.shape, 1)))[..., 0]
            good = np.abs(np.einsum("bij,bj->bi", inside, w) - 1).max(axis=1, initial=0) <= 1e-9
            magnitude = np.where((w >= 0).all(axis=1) & good, w.sum(axis=1), 0)
            if magnitude.max(initial=0) > value:
                at = int(magnitude.argmax())
                value, best = magnitude[at], np.zeros(n)
                best[chosen[at]] = w[at]
    return judged(z, best)
