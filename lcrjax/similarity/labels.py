"""Similarities of all or nothing: of elements as such, and of their labels."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, Shaped

from lcrjax.numerics.inputs import array
from lcrjax.similarity.base import Similarity, TiledSimilarity


class Identity(Similarity):
    """Every element is like itself alone: diversities are Hill numbers (paper, section II-D)."""

    def ordinariness(
        self, elements: Any, weights: Float[Array, "m k"], others: Any = None
    ) -> Float[Array, "n k"]:
        """The weights themselves; of `others`, those of the equal elements."""
        if others is None:
            return jnp.asarray(weights)
        own, its = (
            np.asarray(array(w, x)) for w, x in (("elements", elements), ("others", others))
        )
        return _sums_of_equal(own, its, weights)


class SameClass(TiledSimilarity):
    """Elements are labels, alike if they are equal: diversities are class balances.

    References:
        Paper, section II-D.
    """

    def ordinariness(
        self, elements: Any, weights: Float[Array, "m k"], others: Any = None
    ) -> Float[Array, "n k"]:
        """Sum of the weights of equal labels."""
        labels = _labels(elements)
        return _sums_of_equal(labels, labels if others is None else _labels(others), weights)

    def canonical(self, elements: Any, others: Any) -> tuple["SameClass", Any, Any]:
        """Number the labels, of whatever kind; traced ones are numbers."""
        if any(isinstance(x, jax.core.Tracer) for x in (elements, others)):
            return self, elements, others
        rows = _labels(elements)
        own, its = _numbered(rows, rows[:0] if others is None else _labels(others))
        return self, own, None if others is None else its

    def prepare(self, elements: Shaped[Array, " n"]) -> Shaped[Array, " n"]:
        """Nothing to prepare."""
        return elements

    def block(self, rows: Shaped[Array, " a"], columns: Shaped[Array, " b"]) -> Array:
        """Whether labels are equal."""
        return rows[:, None] == columns[None, :]


def _labels(elements: Any) -> np.ndarray:
    labels = np.asarray(array("elements", elements, nan=True))
    if labels.ndim != 1:
        raise ValueError(f"labels have shape {labels.shape}: give one label per element")
    return labels


def _numbered(
    rows: np.ndarray, columns: np.ndarray
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " m"]]:
    """Number the distinct elements of both."""
    both = np.concatenate([rows, columns])
    flat = both.reshape(len(both), -1)
    single = flat.shape[1] == 1
    _, number = np.unique(flat[:, 0] if single else flat, return_inverse=True, axis=0)
    number = number.reshape(-1).astype(np.int32)
    return number[: len(rows)], number[len(rows) :]


def _sums_of_equal(rows: np.ndarray, columns: np.ndarray, weights: Any) -> Float[Array, "n k"]:
    own, its = _numbered(rows, columns)
    count = int(max(own.max(initial=-1), its.max(initial=-1))) + 1
    return jax.ops.segment_sum(jnp.asarray(weights), its, num_segments=count)[own]
