"""Similarities of all or nothing, which need no tiles."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.numerics.pytrees import register_dataclass
from lcrjax.similarity.base import Similarity


@register_dataclass
@dataclasses.dataclass(frozen=True)
class Identity(Similarity):
    """Every element is like itself alone: diversities are Hill numbers (paper, section II-D)."""

    def ordinariness(
        self, elements: Any, weights: Any, others: Any = None, *, tile: int | None = None
    ) -> Float[Array, "n k"]:
        """The weights themselves; of `others`, those of the equal elements."""
        if others is None:
            return jnp.asarray(weights)
        found = _groups(np.asarray(elements), np.asarray(others))
        return _sums(*found, jnp.asarray(weights))


@register_dataclass
@dataclasses.dataclass(frozen=True)
class SameClass(Similarity):
    """Elements are labels, alike if they are equal: diversities are class balances.

    References:
        Paper, section II-D.
    """

    def ordinariness(
        self, elements: Any, weights: Any, others: Any = None, *, tile: int | None = None
    ) -> Float[Array, "n k"]:
        """Sum of the weights of equal labels."""
        labels = np.asarray(elements)
        if labels.ndim != 1:
            raise ValueError(f"labels have shape {labels.shape}: give one label per element")
        found = _groups(labels, labels if others is None else np.asarray(others))
        return _sums(*found, jnp.asarray(weights))


def _groups(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Number the distinct elements of both, and say which is which."""
    both = np.concatenate([rows, columns])
    flat = both.reshape(len(both), -1)
    if flat.shape[1] == 1:
        distinct, number = np.unique(flat[:, 0], return_inverse=True)
    else:
        distinct, number = np.unique(flat, axis=0, return_inverse=True)
    number = number.reshape(-1)
    return number[: len(rows)], number[len(rows) :], len(distinct)


def _sums(rows: np.ndarray, columns: np.ndarray, count: int, weights: Array) -> Array:
    return jax.ops.segment_sum(weights, columns, num_segments=count)[rows]
