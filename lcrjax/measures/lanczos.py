r"""Vendi scores by block Lanczos: the largest eigenvalues, and bounds for the rest.

The eigenvalues of $A = \sqrt{p} Z \sqrt{p}$ sum to its trace. Those not found share what is left of
it: least diverse if as few as possible have it, each as large as may be, and most diverse if all
have the same (Hill numbers are Schur-concave). As large as may be is what the method itself has
seen: the largest value that is no eigenvalue yet, and its residual. In between, the random vectors
that it starts from sample the rest (stochastic Lanczos quadrature).

References:
    Golub & Meurant (2010), chapters 6 and 7; Ubaru, Chen & Saad (2017) for the quadrature;
    Meyer, Musco, Musco & Woodruff (2021) for sampling beside the largest eigenvalues alone.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from lcrjax.measures.spectrum import check_definite, hill_of

Multiply = Callable[[Float[np.ndarray, "n b"]], Float[np.ndarray, "n b"]]
_BLOCK = 32  # vectors multiplied at once: a product with Z costs about the same for any few
_MOST_VECTORS = 1024
_MOST_NUMBERS = 2**27  # of the vectors that are kept: one GiB
_FOUND = 1e-3  # relative error of a value that counts as an eigenvalue
_ROUNDING = 1e-6  # of products in float32: eigenvalues no further apart may be one
_DEVIATIONS = 3.0  # standard errors that an estimate is given


class Estimate(NamedTuple):
    """A score, and between which it lies."""

    score: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """Largest relative error."""
        return max(self.high - self.score, self.score - self.low) / self.score


def estimate(
    multiply: Multiply, support: Bool[np.ndarray, " n"], trace: float, q: float, tolerance: float
) -> Estimate:
    """Estimate the Hill number of the eigenvalues of a matrix that can only multiply.

    Args:
        multiply: Multiplies n x b numbers by the matrix, which is symmetric.
        support: Where the matrix has rows that are not zero.
        trace: Sum of the eigenvalues.
        q: Viewpoint.
        tolerance: Relative error that ends the search.

    Returns:
        The last estimate: within the tolerance, unless memory for more vectors is lacking.

    Raises:
        ValueError: If the matrix is not symmetric, or has a negative eigenvalue.
    """
    last = math.inf
    rank = int(np.count_nonzero(support))
    for found in _ritz_values(multiply, support):
        best = _estimate(found, rank, trace, q, last)
        last = best.score
        if best.error <= tolerance:
            break
    return best


class _Ritz(NamedTuple):
    values: Float[np.ndarray, " m"]  # eigenvalues within the space, the largest first
    residuals: Float[np.ndarray, " m"]  # an eigenvalue of the matrix lies so near
    parts: Float[np.ndarray, "m b"]  # squares of the components of the random vectors


def _ritz_values(multiply: Multiply, support: Bool[np.ndarray, " n"]) -> Iterator[_Ritz]:
    """Grow a Krylov space block by block; say at times what is known of the spectrum."""
    n = len(support)
    most = min(n, _MOST_VECTORS, max(2 * _BLOCK, _MOST_NUMBERS // n))
    start = np.random.default_rng(0).normal(size=(n, min(_BLOCK, most))) * support[:, None]
    block, first = np.linalg.qr(start)
    space = np.empty((n, most))
    projected = np.empty((0, 0))
    steps, next_look = 0, 2
    while True:
        # Projections are computed, not taken from the recurrence: products may be rounded.
        product = multiply(block)
        m, b = len(projected), block.shape[1]
        space[:, m : m + b] = block
        basis = space[:, : m + b]
        onto = basis.T @ product
        if not m:
            _check_symmetric(onto)
        wider = np.zeros((m + b, m + b))
        wider[:m, :m], wider[:, m:] = projected, onto
        wider[m:, :m] = onto[:m].T
        projected = wider
        product -= basis @ onto
        product -= basis @ (basis.T @ product)
        left, sizes, right = np.linalg.svd(product, full_matrices=False)
        kept = sizes > 1e-12 * np.linalg.norm(projected)
        kept &= np.arange(b) < most - m - b
        steps += 1
        if steps >= next_look or not kept.any():
            next_look = math.ceil(1.3 * steps + 0.5)
            values, vectors = np.linalg.eigh((projected + projected.T) / 2)
            check_definite(values[0], float(np.linalg.norm(values)))
            tail = sizes[:, None] * (right @ vectors[m:])
            parts = (first.T @ vectors[: len(first)]) ** 2
            yield _Ritz(values[::-1], np.linalg.norm(tail, axis=0)[::-1], parts.T[::-1])
        if not kept.any():
            return
        block = left[:, kept]


def _estimate(found: _Ritz, rank: int, trace: float, q: float, last: float) -> Estimate:
    values, m = np.maximum(found.values, 0), len(found.values)
    # All values within a space are less unequal than the eigenvalues (Schur and Horn).
    others = rank - m
    even = max(trace - values.sum(), 0.0) / others if others > 0 else 0.0
    most = _hill(np.append(values, even), np.append(np.ones(m), others), q) * (1 + _ROUNDING)
    k = _count_found(found)
    # The first are as large as they may be, and so are as few others as have the rest.
    tops = np.maximum(found.values[: k + 1], 0) + found.residuals[: k + 1]
    rest = max(trace - tops[:k].sum(), 0.0)
    tops[k] = min(tops[k], rest) or rest
    copies = np.append(np.ones(k), rest / tops[k] if rest else 0.0)
    fewest = _hill(tops, copies, q) * (1 - _ROUNDING)
    if others <= 0:
        return Estimate(most, fewest, most)
    low = fewest if fewest <= most else 0.0  # the largest of the others is not in sight
    rest = max(trace - values[:k].sum(), 0.0)

    def sampled(parts: Float[np.ndarray, "m b"]) -> float:
        copies = parts[k:].sum(axis=1)
        share = copies @ values[k:]
        return _hill(values, np.append(np.ones(k), copies * (rest / share if share else 0)), q)

    score, b = sampled(found.parts), found.parts.shape[1]
    without = np.array([sampled(np.delete(found.parts, j, axis=1)) for j in range(b)])
    deviation = math.sqrt((b - 1) * without.var())  # the jackknife's
    whole = found.residuals.max() <= _ROUNDING * values[0]  # the space grows no more
    error = _DEVIATIONS * deviation + (0 if whole else abs(score - last)) + _ROUNDING * score
    score = min(max(score, low), most)
    return Estimate(score, max(low, score - error), min(most, score + error))


def _count_found(found: _Ritz) -> int:
    """How many of the largest values are eigenvalues, each in all copies, and not all of them."""
    surely = found.residuals <= _FOUND * found.values
    # A block of b vectors shows no eigenvalue more than b times: there may be more copies.
    end = max(len(surely) - found.parts.shape[1] + 1, 0)
    next_ones = found.values[len(surely) - end :]
    surely[:end] &= found.values[:end] > (1 + _FOUND) * next_ones
    return len(surely) - 1 if surely.all() else int(np.argmin(surely))


def _hill(values: np.ndarray, copies: np.ndarray, q: float) -> float:
    there = values * copies > 0
    return hill_of(values[there], copies[there], q)


def _check_symmetric(square: Float[np.ndarray, "b b"]) -> None:
    off = np.abs(square - square.T).max()
    if off > 1e-4 * np.abs(square).max():
        raise ValueError("Z is not symmetric: a Vendi score needs a symmetric similarity")
