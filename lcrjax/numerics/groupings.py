"""Groupings of numbers along the last axis, which sums, extremes and their spreading respect."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Bool, Float, Int, Shaped

from lcrjax.numerics.arrays import namespace
from lcrjax.numerics.pytrees import register_dataclass

#: Arrays of either namespace.
if TYPE_CHECKING:
    AnyArray = Any
else:
    AnyArray = np.ndarray | Array


_AT_ONCE = 2**16  # members of a part: some rows of doubles of them lie in a core's cache


@runtime_checkable
class Grouping(Protocol):
    """Which of N numbers belong together, in G groups; arrays (*m, N) in either namespace."""

    def sum(self, x: Any) -> Any:
        """Sum within each group, (*m, G)."""

    def largest(self, x: Any) -> Any:
        """Maximum within each group; minus infinity where it has no member."""

    def least(self, x: Any) -> Any:
        """Minimum within each group; infinity where it has no member."""

    def spread(self, x: Any) -> Any:
        """Give each member its group's number, (*m, G) -> (*m, N)."""


@register_dataclass
@dataclasses.dataclass(frozen=True)
class Runs:
    """Consecutive runs of one length, in either namespace: columns of a table, or one group."""

    count: int = dataclasses.field(metadata={"static": True})
    length: int = dataclasses.field(metadata={"static": True})

    def _apart(self, x: Any) -> Any:
        return x.reshape(*x.shape[:-1], self.count, self.length)

    def sum(self, x: Float[AnyArray, "*m N"]) -> Float[AnyArray, "*m G"]:
        """Sum within each run."""
        return self._apart(x).sum(axis=-1)

    def largest(self, x: Float[AnyArray, "*m N"]) -> Float[AnyArray, "*m G"]:
        """Maximum within each run."""
        return self._apart(x).max(axis=-1, initial=-np.inf)

    def least(self, x: Float[AnyArray, "*m N"]) -> Float[AnyArray, "*m G"]:
        """Minimum within each run."""
        return self._apart(x).min(axis=-1, initial=np.inf)

    def spread(self, x: Shaped[AnyArray, "*m G"]) -> Shaped[AnyArray, "*m N"]:
        """Give each member its run's number."""
        return namespace(x).repeat(x, self.length, axis=-1)


class Segments:
    """Consecutive runs of any lengths, none of them empty, on the host: classes of datasets."""

    def __init__(self, lengths: Int[np.ndarray, " G"]) -> None:
        self.lengths = lengths
        self._starts = np.cumsum(lengths) - lengths

    def parts(self) -> Iterator[tuple[slice, slice, "Segments"]]:
        """Members in their order, so few at a time that what is computed of them stays near.

        Each time these members, the groups that they are of, and how they are grouped. A long group
        has members in several parts.
        """
        ends, n = self._starts + self.lengths, int(self.lengths.sum())
        if n <= _AT_ONCE:
            yield slice(None), slice(0, len(ends)), self
            return
        for at in range(0, n, _AT_ONCE):
            to = min(at + _AT_ONCE, n)
            first, last = np.searchsorted(ends, [at, to - 1], side="right").tolist()
            groups = slice(first, last + 1)
            starts, stops = (x[groups].clip(at, to) for x in (self._starts, ends))
            yield slice(at, to), groups, Segments(stops - starts)

    def sum(self, x: Shaped[np.ndarray, "*m N"]) -> Shaped[np.ndarray, "*m G"]:
        """Sum within each segment, pairwise."""
        return np.add.reduceat(x, self._starts, axis=-1)

    def largest(self, x: Float[np.ndarray, "*m N"]) -> Float[np.ndarray, "*m G"]:
        """Maximum within each segment."""
        return np.maximum.reduceat(x, self._starts, axis=-1)

    def least(self, x: Float[np.ndarray, "*m N"]) -> Float[np.ndarray, "*m G"]:
        """Minimum within each segment."""
        return np.minimum.reduceat(x, self._starts, axis=-1)

    def spread(self, x: Shaped[np.ndarray, "*m G"]) -> Shaped[np.ndarray, "*m N"]:
        """Give each member its segment's number."""
        return np.repeat(x, self.lengths, axis=-1)


@register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Classes:
    """Those that share a label in 0..count-1, in any order, traced; classes may be empty."""

    labels: Int[Array, " N"]
    count: int = dataclasses.field(metadata={"static": True})

    def _member(self) -> Bool[Array, "count N"]:
        names = jnp.arange(self.count, dtype=self.labels.dtype)
        return self.labels[None, :] == names[:, None]

    def _apart(self, x: Array, filling: float) -> Array:
        member = jnp.expand_dims(self._member(), range(x.ndim - 1))
        return jnp.where(member, jnp.expand_dims(x, -2), filling)

    def sum(self, x: Float[Array, "*m N"]) -> Float[Array, "*m G"]:
        """Sum of finite numbers within each class: a product with its indicators."""
        member = self._member().astype(x.dtype)
        return jnp.matmul(x, member.T, precision=lax.Precision.HIGHEST)

    def largest(self, x: Float[Array, "*m N"]) -> Float[Array, "*m G"]:
        """Maximum within each class."""
        return jnp.max(self._apart(x, -jnp.inf), axis=-1, initial=-jnp.inf)

    def least(self, x: Float[Array, "*m N"]) -> Float[Array, "*m G"]:
        """Minimum within each class."""
        return jnp.min(self._apart(x, jnp.inf), axis=-1, initial=jnp.inf)

    def spread(self, x: Shaped[Array, "*m G"]) -> Shaped[Array, "*m N"]:
        """Give each member its class's number."""
        return jnp.take(x, self.labels, axis=-1)
