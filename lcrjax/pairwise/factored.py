r"""Z w of inner products of vectors, in time that grows with their number, not with their pairs.

Where $Z_{ij} = u_i \cdot u_j$, $Zw = U (U^T w)$: two passes over the vectors. That holds of the
linear similarity, and of cosines where none is negative: of pixels, counts, what a ReLU returned,
and of embeddings that point the same way.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Shaped

from lcrjax.numerics.arrays import at_hand
from lcrjax.similarity import Cosine, Linear
from lcrjax.similarity.base import Similarity

_NUMBERS_AT_ONCE = 2**17  # whose doubles stay in a core's cache
_SAMPLE = 64  # vectors of each set whose pairs are looked at first
_EIGHTH = math.sqrt(0.5) + 1e-9  # cosine of half a right angle, and more than what rounding does


class Vectors(NamedTuple):
    """Canonical vectors that can be gone through many times.

    Attributes:
        blocks: A new pass over them, some at a time.
        sample: Some of them.
        least: Finds their least component.
    """

    blocks: Callable[[], Iterable[Shaped[np.ndarray, "b ..."]]]
    sample: Shaped[np.ndarray, "s ..."]
    least: Callable[[], Any]


def vectors_of_array(x: Shaped[np.ndarray, "n ..."]) -> Vectors:
    """Those that are in memory."""
    return Vectors(lambda: (x,), x[:: -(-len(x) // _SAMPLE)], x.min)


def are_inner_products(similarity: Similarity, *sets: Vectors) -> bool:
    """Whether all similarities of the vectors of one or two sets are their inner products.

    Of cosines it is known where no component is negative, and where all vectors lie within half a
    right angle of their mean. A few pairs say at once where it cannot be so.
    """
    if type(similarity) is not Cosine:
        return type(similarity) is Linear
    some, _ = _doubles(np.concatenate([x.sample.reshape(len(x.sample), -1) for x in sets]))
    if (some @ some.T).min() < 0:
        return False
    if all(x.least() >= 0 for x in sets):
        return True
    mean = sum(x.T @ inverse for x, inverse in _all(sets))
    mean /= np.linalg.norm(mean)
    return all(
        ((x @ mean) * inverse)[inverse > 0].min(initial=1) >= _EIGHTH for x, inverse in _all(sets)
    )


def product_of_factors(
    similarity: Similarity, own: Vectors, others: Vectors | None, weights: Any
) -> Float[np.ndarray, "n k"]:
    """Compute Z w where similarities are inner products; see `are_inner_products`.

    Args:
        similarity: The similarity: by the cosine a vector of zeros is like itself.
        own: n vectors.
        others: m vectors; None for the same.
        weights: One column for each distribution, (m, k); or `Indicators`.

    Returns:
        In the dtype of the weights; computed in float64.
    """
    together: Any = 0.0
    for (x, inverse), w in _beside(own if others is None else others, weights):
        together = together + x.T @ (w * inverse[:, None])
    if others is not None:
        parts = [(x @ together) * inverse[:, None] for x, inverse in _all([own])]
        return np.concatenate(parts).astype(weights.dtype)
    itself = type(similarity) is Cosine
    out = np.empty(weights.shape, weights.dtype)
    at = 0
    for (x, inverse), w in _beside(own, weights):
        sums = (x @ together) * inverse[:, None]
        out[at : at + len(x)] = sums + w * (inverse == 0)[:, None] if itself else sums
        at += len(x)
    return out


def product_of_arrays(
    similarity: Similarity, elements: Any, weights: Any, others: Any
) -> Float[np.ndarray, "n k"] | None:
    """The same of canonical arrays at hand on a CPU; None of others, or where it is not so."""
    if type(similarity) not in (Linear, Cosine) or jax.default_backend() != "cpu":
        return None
    given = [elements] if others is None else [elements, others]
    if not at_hand(*given, weights):
        return None
    sets = [vectors_of_array(np.asarray(x)) for x in given]
    if not are_inner_products(similarity, *sets):
        return None
    table = np.asarray(weights)
    return product_of_factors(similarity, sets[0], sets[1] if len(sets) > 1 else None, table)


def _all(sets: Sequence[Vectors]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The vectors as `_doubles` gives them, so few at a time that they stay near."""
    for x in sets:
        for block in x.blocks():
            flat = block.reshape(len(block), -1)
            rows = max(1, _NUMBERS_AT_ONCE // max(1, flat.shape[1]))
            for i in range(0, len(flat), rows):
                yield _doubles(flat[i : i + rows])


def _doubles(
    x: Shaped[np.ndarray, "b d"],
) -> tuple[Float[np.ndarray, "b d"], Float[np.ndarray, " b"]]:
    """Vectors in float64, and one over their lengths; zero for zeros.

    Those that were in float64 before come in units of their own, so that squares are in its range.
    """
    wide = x.astype(np.float64)
    if x.dtype == np.float64:
        largest = np.abs(wide).max(axis=1, keepdims=True, initial=0)
        wide = np.ldexp(wide, -np.frexp(largest)[1])
    length = np.sqrt(np.einsum("id,id->i", wide, wide))
    return wide, np.divide(1, length, out=np.zeros_like(length), where=length > 0)


def _beside(x: Vectors, weights: Any) -> Iterator[tuple[tuple[np.ndarray, np.ndarray], np.ndarray]]:
    """The vectors, and the weights of each."""
    at = 0
    for part in _all([x]):
        to = at + len(part[0])
        yield part, weights[at:to].astype(np.float64)
        at = to
