"""Rows of Z in float64 on the host, whatever jax's own width, for who needs its last digits.

The formulas are those of the similarities' own tiles, which are jax programs: these compute in
float32 unless 64 bits are on.
"""

from collections.abc import Callable
from functools import reduce
from operator import mul
from typing import Any

import numpy as np
from jaxtyping import Float

from lcrjax.similarity import Cosine, Linear, Product, SameClass
from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.distance_kernels import FALLS, Radial

Rows = Callable[[slice], Float[np.ndarray, "rows n"]]
_NEAR = 1e-2  # of the sum of two squares: a squared distance that a product may blur
_PAIRS_AT_ONCE = 2**22  # numbers of their differences


def host_rows(similarity: TiledSimilarity, elements: Any) -> Rows | None:
    """A function that computes a slice of rows of Z, or None where jax alone knows the similarity.

    Args:
        similarity: The similarity that made the elements canonical.
        elements: n canonical elements, at hand.
    """
    if isinstance(similarity, Product):
        parts = [host_rows(f, x) for f, x in zip(similarity.factors, elements, strict=True)]
        known = [part for part in parts if part is not None]
        return None if len(known) < len(parts) else lambda at: reduce(mul, (f(at) for f in known))
    array = np.asarray(elements)
    if isinstance(similarity, SameClass):
        return lambda at: (array[at, None] == array).astype(np.float64)
    flat = array.reshape(len(array), -1)
    if type(similarity) is Linear:
        unit = host_unit_vectors(flat)
        return lambda at: unit[at] @ unit.T
    if type(similarity) is Cosine:
        unit = host_unit_vectors(flat)
        return lambda at: np.where(_diagonal(at, len(unit)), 1, np.maximum(unit[at] @ unit.T, 0))
    if not isinstance(similarity, Radial):
        return None
    found = similarity.native_form(flat.shape[1], flat.dtype == np.uint8)
    if found is None or not 0 < float(found[1]) < np.inf:
        return None
    form, rate = found[0], np.float64(found[1])
    vectors = flat.astype(np.float64)
    if flat.dtype != np.uint8:  # whose distances are exact as they are
        vectors -= vectors.mean(axis=0)
    squares = np.einsum("id,id->i", vectors, vectors)
    return lambda at: FALLS[form](rate, _squared_distances(vectors, squares, at))


def host_unit_vectors(vectors: np.ndarray) -> Float[np.ndarray, "n d"]:
    """Vectors of length one in float64; zeros stay."""
    wide = vectors.astype(np.float64)
    most = np.abs(wide).max(axis=1, keepdims=True)
    wide /= np.where(most > 0, most, 1)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / np.where(length > 0, length, 1)


def _diagonal(at: slice, n: int) -> np.ndarray:
    return np.arange(n)[at, None] == np.arange(n)


def _squared_distances(vectors: np.ndarray, squares: np.ndarray, at: slice) -> np.ndarray:
    """Squared distances by products; those that rounding may blur, by differences."""
    sums = squares[at, None] + squares
    found = sums - 2 * (vectors[at] @ vectors.T)
    i, j = np.nonzero(found < _NEAR * sums)
    step = max(1, _PAIRS_AT_ONCE // vectors.shape[1])
    for k in range(0, len(i), step):
        own, other = i[k : k + step], j[k : k + step]
        apart = vectors[at][own] - vectors[other]
        found[own, other] = np.einsum("id,id->i", apart, apart)
    return found
