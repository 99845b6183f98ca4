"""Similarity of elements by the first rank of a taxonomy that they have in common."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from lcrjax.numerics.inputs import array
from lcrjax.similarity.base import TiledSimilarity


class Taxonomy(TiledSimilarity):
    """Elements are rows of names, from the finest rank to the coarsest; the first in common counts.

    Elements are a DataFrame or an array (n, R) of names, such as species, genus and family. Ranks
    are nested: who shares a genus shares a family. Ordinariness is sums within groups, in time and
    memory n R: there is no matrix.

    Attributes:
        similarities: Similarity of two elements whose first common rank is the first, second, ...:
            R numbers that do not rise, the first of them 1. None for even steps down to zero, 1,
            1 - 1/R, 1 - 2/R, ..., which is Shimatani's distance made linear, as in `tax2dist` and
            `dist2sim` of rdiversity. Elements without a common rank have similarity 0.

    Raises:
        ValueError: If the similarities rise, lie outside [0, 1] or do not begin with 1; of elements
            if they are no table of names with as many ranks, a name is missing, or ranks are not
            nested (the name is told).

    References:
        Shimatani (2001), On the measurement of species diversity incorporating species
        differences; Leinster & Cobbold (2012), whose butterflies have 1, 1/2 and 0 for species,
        genera and others.

    Examples:
        >>> import lcrjax
        >>> import pandas as pd
        >>> trees = pd.DataFrame(
        ...     {"genus": ["Quercus", "Quercus", "Acer"]}, index=["robur", "petraea", "campestre"]
        ... )
        >>> ranks = trees.reset_index(names="species")
        >>> D = lcrjax.diversity([2, 2, 4], lcrjax.Taxonomy((1, 0.5)), elements=ranks, q=0)
        >>> print(round(float(D.dataset_level["gamma"][0]), 3))
        2.333
    """

    similarities: Any = dataclasses.field(default=None, metadata={"static": True})

    def __post_init__(self) -> None:
        """Check the similarities."""
        if self.similarities is None:
            return
        values = np.asarray(self.similarities, np.float64)
        if (
            values.ndim != 1
            or not values.size
            or values[0] != 1
            or not np.all((values >= 0) & (np.diff(values, prepend=1) <= 0))
        ):
            raise ValueError(
                f"the similarities are {self.similarities}: give one for each rank, from 1 for the "
                "finest downwards, none below 0"
            )
        object.__setattr__(self, "similarities", tuple(values.tolist()))

    def ordinariness(
        self, elements: Any, weights: Float[Array, "m k"], others: Any = None
    ) -> Float[Array, "n k"]:
        """Sums of weights within the groups of each rank, times what that rank adds."""
        _, rows, columns = self.canonical(elements, others)
        columns = rows if columns is None else columns
        weights = jnp.asarray(weights)
        out = jnp.zeros((len(rows), weights.shape[1]), weights.dtype)
        for rank, step in enumerate(self._steps(rows.shape[1])):
            count = int(max(rows[:, rank].max(), columns[:, rank].max())) + 1
            sums = jax.ops.segment_sum(weights, columns[:, rank], num_segments=count)
            out = out + jnp.asarray(step, weights.dtype) * sums[rows[:, rank]]
        return out

    def canonical(self, elements: Any, others: Any) -> tuple["Taxonomy", Any, Any]:
        """Number the names of each rank; traced elements are numbers already."""
        if any(isinstance(x, jax.core.Tracer) for x in (elements, others)):
            return self, elements, others
        rows = _names(elements)
        both = rows if others is None else np.concatenate([rows, _names(others)])
        numbers = np.stack([np.unique(names, return_inverse=True)[1] for names in both.T], axis=1)
        numbers = numbers.astype(np.int32)
        _check_nested(both, numbers)
        self._steps(both.shape[1])
        return self, numbers[: len(rows)], None if others is None else numbers[len(rows) :]

    def prepare(self, elements: Int[Array, "n R"]) -> Int[Array, "n R"]:
        """Nothing to prepare."""
        return elements

    def block(self, rows: Int[Array, "a R"], columns: Int[Array, "b R"]) -> Float[Array, "a b"]:
        """The steps of all ranks in common."""
        steps = jnp.asarray(self._steps(rows.shape[1]))
        common = rows[:, None, :] == columns[None, :, :]
        return jnp.sum(jnp.where(common, steps[None, None, :], 0), axis=2)

    def _steps(self, ranks: int) -> Float[np.ndarray, " R"]:
        """What each common rank adds to the similarity."""
        values = self.similarities or tuple(1 - r / ranks for r in range(ranks))
        if len(values) != ranks:
            raise ValueError(
                f"there are {ranks} ranks and {len(values)} similarities: give one for each rank"
            )
        return -np.diff(np.asarray(values), append=0.0)


def _names(elements: Any) -> np.ndarray:
    given = np.asarray(array("ranks", elements, nan=True))
    if given.ndim != 2 or 0 in given.shape:
        raise ValueError(f"the ranks have shape {given.shape}: give a table (elements, ranks)")
    return given.astype(str) if given.dtype == object else given


def _check_nested(names: np.ndarray, numbers: Int[np.ndarray, "n R"]) -> None:
    for rank in range(numbers.shape[1] - 1):
        fine, coarse = numbers[:, rank], numbers[:, rank + 1]
        parent = np.zeros(fine.max() + 1, np.int32)
        parent[fine] = coarse
        odd = np.flatnonzero(parent[fine] != coarse)
        if len(odd):
            i = odd[0]
            other = np.flatnonzero((fine == fine[i]) & (coarse != coarse[i]))[0]
            name, here, there = (
                str(x) for x in (names[i, rank], names[i, rank + 1], names[other, rank + 1])
            )
            raise ValueError(
                f"{name!r} lies in {here!r} (element {i}) and in {there!r} (element {other}): give "
                "names that tell them apart, in columns from the finest rank to the coarsest"
            )
