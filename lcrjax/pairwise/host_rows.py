"""Blocks of Z in float64 on the host, whatever jax's own width, for who needs its last digits.

The formulas are those of the similarities' own tiles, which are jax programs: these compute in
float32 unless 64 bits are on. Squared distances that several similarities share are computed once.
"""

import threading
from collections.abc import Callable, Sequence
from functools import reduce
from operator import mul
from typing import Any

import numpy as np
from jaxtyping import Float

from lcrjax.similarity import Cosine, Linear, Product, SameClass
from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.distance_kernels import FALLS, Radial

Rows = Callable[[slice], Float[np.ndarray, "rows n"]]
#: Similarities of the elements at some places (a slice, or indices) with those at others.
Block = Callable[[Any, Any], Float[np.ndarray, "a b"]]
_NEAR = 1e-2  # of the sum of two squares: a squared distance that a product may blur
_PAIRS_AT_ONCE = 2**22  # numbers of their differences


def host_rows(similarity: TiledSimilarity, elements: Any) -> Rows | None:
    """A function that computes a slice of rows of Z, or None where jax alone knows the similarity.

    Args:
        similarity: The similarity that made the elements canonical.
        elements: n canonical elements, at hand.
    """
    block = _block(similarity, elements, [])
    return None if block is None else lambda at: block(at, slice(None))


def host_blocks(
    similarities: Sequence[TiledSimilarity], elements: Sequence[Any]
) -> list[Block | None]:
    """For each similarity what computes any block of its Z; None where jax alone knows it.

    Where a thread asks one after the other for the same block (the very same objects say which),
    those that rest on the same distances compute these once.

    Args:
        similarities: Those that made the elements canonical.
        elements: The canonical elements of each.
    """
    known: list[_Distances] = []
    return [_block(z, x, known) for z, x in zip(similarities, elements, strict=True)]


def _block(similarity: TiledSimilarity, elements: Any, known: "list[_Distances]") -> Block | None:
    if isinstance(similarity, Product):
        pairs = zip(similarity.factors, elements, strict=True)
        parts = [part for f, x in pairs if (part := _block(f, x, known)) is not None]
        whole = len(parts) == len(similarity.factors)
        return (lambda i, j: reduce(mul, (part(i, j) for part in parts))) if whole else None
    if not isinstance(similarity, SameClass | Linear | Cosine | Radial):
        return None
    array = np.asarray(elements)
    if isinstance(similarity, SameClass):
        return lambda i, j: (array[i][:, None] == array[j]).astype(np.float64)
    flat = array.reshape(len(array), -1)
    if type(similarity) is Linear:
        unit = host_unit_vectors(flat)
        return lambda i, j: unit[i] @ unit[j].T
    if type(similarity) is Cosine:
        unit, places = host_unit_vectors(flat), np.arange(len(flat))
        return lambda i, j: np.where(
            places[i][:, None] == places[j], 1, np.maximum(unit[i] @ unit[j].T, 0)
        )
    if not isinstance(similarity, Radial):
        return None
    found = similarity.native_form(flat.shape[1], flat.dtype == np.uint8)
    if found is None or not 0 < float(found[1]) < np.inf:
        return None
    form, rate = found[0], np.float64(found[1])
    distances = next((d for d in known if d.of(flat)), None)
    if distances is None:
        distances = _Distances(flat)
        known.append(distances)
    return lambda i, j: FALLS[form](rate, distances(i, j))


def host_unit_vectors(vectors: np.ndarray) -> Float[np.ndarray, "n d"]:
    """Vectors of length one in float64; zeros stay."""
    wide = vectors.astype(np.float64)
    most = np.abs(wide).max(axis=1, keepdims=True)
    wide /= np.where(most > 0, most, 1)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return wide / np.where(length > 0, length, 1)


class _Distances:
    """Squared distances by products; those that rounding may blur, by differences."""

    def __init__(self, flat: np.ndarray):
        self._flat = flat
        self._exact = flat.dtype == np.uint8  # whose distances are whole numbers
        vectors = flat.astype(np.float64)
        self._vectors = vectors if self._exact else vectors - vectors.mean(axis=0)
        self._squares = np.einsum("id,id->i", self._vectors, self._vectors)
        self._last = threading.local()

    def of(self, flat: np.ndarray) -> bool:
        """Whether they are those of these vectors."""
        own = self._flat
        return own is flat or (own.dtype == flat.dtype and np.array_equal(own, flat))

    def __call__(self, i: Any, j: Any) -> Float[np.ndarray, "a b"]:
        """Those of the vectors at some places from those at others."""
        places, found = getattr(self._last, "block", ((None, None), None))
        if found is None or places[0] is not i or places[1] is not j:
            found = self._computed(i, j)
            self._last.block = (i, j), found
        return found

    def _computed(self, i: Any, j: Any) -> np.ndarray:
        own, others = self._vectors[i], self._vectors[j]
        sums = self._squares[i][:, None] + self._squares[j]
        found = sums - 2 * (own @ others.T)
        if self._exact:
            return found
        a, b = np.nonzero(found < _NEAR * sums)
        step = max(1, _PAIRS_AT_ONCE // own.shape[1])
        for k in range(0, len(a), step):
            apart = own[a[k : k + step]] - others[b[k : k + step]]
            found[a[k : k + step], b[k : k + step]] = np.einsum("id,id->i", apart, apart)
        return found
