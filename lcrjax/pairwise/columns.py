"""Elements of which single columns of Z are wanted, and sums over all: what choosing looks at."""

import itertools
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lcrjax.native.pool import PackedPool
from lcrjax.numerics.processes import check_process
from lcrjax.numerics.streams import Stream
from lcrjax.numerics.widths import float_dtype
from lcrjax.pairwise.native_product import packed, serve_host
from lcrjax.pairwise.product import zp_of_canonical
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import Identity, Precomputed
from lcrjax.similarity.base import Similarity, TiledSimilarity, pick

#: Columns that are computed by one product.
AT_ONCE = 32
#: Bytes of columns that are kept.
KEPT_BYTES = 320 * 2**20
_SPARE = 64  # columns that were computed along with others, and are kept until others come
_SAMPLE = 64  # elements whose similarities are compared with their transpose
_TOLERANCE = 1e-5


class Columns:
    """n elements, and the columns of their symmetric Z, computed as they are asked for.

    Memory holds the elements, a tile, and at most `KEPT_BYTES` of columns.

    Attributes:
        similarity: In the form that its elements made it take.
        elements: Canonical elements; places in the matrix of a `Precomputed`.
    """

    def __init__(self, similarity: Similarity, elements: Any, *, ready: bool = False) -> None:
        if not ready:
            check_process()
            similarity, elements = _canonical(similarity, elements)
        self.similarity, self.elements = similarity, elements
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()
        self._spare: OrderedDict[int, np.ndarray] = OrderedDict()
        self._last: tuple[np.ndarray, np.ndarray] | None = None  # weights, and Z w
        self._most = max(AT_ONCE, KEPT_BYTES // (4 * max(1, len(self))))
        self._packed: PackedPool | None = None

    def __len__(self) -> int:
        return _count(self.elements)

    def part(self, index: Int[np.ndarray, " m"]) -> "Columns":
        """Some of the elements, as elements of their own."""
        return Columns(self.similarity, pick(self.elements, index), ready=True)

    def parts(self, places: Sequence[Int[np.ndarray, " _"]]) -> Iterator["Columns"]:
        """Several such, one after the other; all elements are these themselves."""
        for index in places:
            yield self if len(index) == len(self) else self.part(index)

    def ordinariness(self, weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Z w, in float64; of the weights of the call before, what that found."""
        if self._last is None or not np.array_equal(self._last[0], weights):
            self._last = weights.copy(), self._product(weights[:, None], None)[:, 0]
        return self._last[1].copy()

    def has(self, i: int) -> bool:
        """Whether the column of an element is at hand."""
        return i in self._kept or i in self._spare

    def column(self, i: int) -> Float[np.ndarray, " n"]:
        """Similarity of every element to one of them, float32."""
        return self.columns(np.array([i]))[0]

    def columns(
        self, index: Int[np.ndarray, " k"], soon: Int[np.ndarray, " m"] | None = None
    ) -> Float[np.ndarray, "k n"]:
        """Similarity of every element to some of them, a row each, float32.

        Args:
            index: Whose.
            soon: Whose else to compute along with them, if any have to be: the next 32 take little
                longer than the first.
        """
        wanted = index.tolist()
        for i in wanted:
            if i in self._spare:
                self._kept[i] = self._spare.pop(i)
        missing = [i for i in wanted if i not in self._kept]
        asked = set(missing)
        if missing and soon is not None:
            more = [i for i in soon.tolist() if not self.has(i) and i not in asked]
            missing += more[: -len(missing) % AT_ONCE]
        found: dict[int, np.ndarray] = {}
        for start in range(0, len(missing), AT_ONCE):
            some = np.array(missing[start : start + AT_ONCE])
            # Copies, that one which is kept may not keep its neighbours in memory.
            found.update(
                (int(i), row.copy()) for i, row in zip(some, self._rows(some), strict=True)
            )
        out = np.stack([found[i] if i in found else self._kept[i] for i in wanted])
        for i, row in found.items():
            (self._kept if i in asked else self._spare)[i] = row
        for kept, most in ((self._kept, self._most), (self._spare, _SPARE)):
            while len(kept) > most:
                kept.popitem(last=False)
        return out

    def gains(
        self,
        index: Int[np.ndarray, " k"],
        floor: Float[np.ndarray, " n"],
        weights: Float[np.ndarray, " n"],
    ) -> Float[np.ndarray, " k"]:
        r"""$\sum_j w_j \max(Z_{ij} - f_j, 0)$ of some elements i, in float64."""
        pool = self._pool()
        if pool is not None:
            return pool.gains(index, floor, weights)
        return np.maximum(self.columns(index) - floor, 0) @ weights

    def above(
        self, index: Int[np.ndarray, " k"], floor: Float[np.ndarray, " k"]
    ) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " s"], Float[np.ndarray, " s"]]:
        """Who is more similar to some elements than their floors: how many, places, similarities.

        Places and similarities are those of one element after another.
        """
        pool = self._pool()
        if pool is not None:
            return pool.above(index, floor)
        rows = self._rows(index)
        higher = rows > floor[:, None]
        return higher.sum(axis=1), np.nonzero(higher)[1].astype(np.int32), rows[higher]

    def _rows(self, index: Int[np.ndarray, " k"]) -> Float[np.ndarray, "k n"]:
        pool = self._pool()
        if pool is not None:
            return pool.rows(index)
        return self._product(np.eye(len(index)), index).T.astype(np.float32)

    def _pool(self) -> PackedPool | None:
        """The elements as a kernel packs them, once they are asked for; None where none does."""
        relation = self.similarity
        if self._packed is not None or not isinstance(relation, TiledSimilarity):
            return self._packed
        if serve_host(relation, self.elements):
            self._packed = packed(relation, self.elements)
        return self._packed

    def _product(self, weights: np.ndarray, picked: np.ndarray | None) -> np.ndarray:
        if isinstance(self.similarity, Precomputed):
            return _of_matrix(self.similarity.matrix, self.elements, weights, picked)
        if isinstance(self.similarity, Identity):
            return weights if picked is None else np.eye(len(self))[:, picked] @ weights
        others = None if picked is None else pick(self.elements, picked)
        table = jnp.asarray(weights, float_dtype(*_numbers(self.elements)))
        if isinstance(self.similarity, TiledSimilarity):
            found = zp_of_canonical(self.similarity, self.elements, others, table)
        else:
            found = zp(self.similarity, self.elements, table, others)
        return np.asarray(found, np.float64)


def _canonical(similarity: Similarity, elements: Any) -> tuple[Similarity, Any]:
    """The similarity and elements in the form that products take, once and for all."""
    if isinstance(similarity, Precomputed):
        count = len(elements)
        matrix = similarity.matrix
        if similarity.in_file or hasattr(matrix, "tocsr"):
            blocks = [x.toarray() if hasattr(x, "toarray") else x for x in similarity.blocks(count)]
            matrix = np.concatenate(blocks)
        matrix = np.asarray(matrix)
        if np.abs(matrix - matrix.T).max(initial=0) > _TOLERANCE * np.abs(matrix).max(initial=1):
            raise ValueError(_ONE_WAY)
        similarity.check(count, None)
        return Precomputed(matrix), np.arange(count)
    if isinstance(similarity, Identity):
        return similarity, elements
    if isinstance(similarity, TiledSimilarity):
        similarity, elements, _ = similarity.canonical(elements, None)
    count = _count(elements)
    some = pick(elements, np.unique(np.linspace(0, max(0, count - 1), _SAMPLE).astype(np.int64)))
    sample = Columns(similarity, some, ready=True)
    z = sample.columns(np.arange(len(sample)))
    if np.abs(z - z.T).max(initial=0) > 1e-3:
        raise ValueError(_ONE_WAY)
    return similarity, elements


_ONE_WAY = "the similarity is not symmetric: give one in which Z_ij = Z_ji, such as (Z + Z.T) / 2"


def _of_matrix(
    matrix: np.ndarray, places: np.ndarray, weights: np.ndarray, picked: np.ndarray | None
) -> np.ndarray:
    if picked is not None:
        return matrix[np.ix_(places, places[picked])] @ weights
    step = max(1, 2**22 // max(1, len(places)))
    parts = [places[start : start + step] for start in range(0, len(places), step)]
    return np.concatenate([matrix[np.ix_(part, places)] @ weights for part in parts])


def _count(elements: Any) -> int:
    """Number of canonical elements: of their first part, where they have several."""
    while isinstance(elements, tuple):
        elements = elements[0]
    return len(elements)


def joined(elements: Any, others: Any) -> Any:
    """Elements, and those that are given after them."""
    if others is None:
        return elements
    if isinstance(elements, Stream):
        rows = elements.rows_at_once
        return Stream(lambda: itertools.chain(elements.blocks(rows), [others]), what=elements.what)
    if isinstance(elements, tuple):
        return tuple(joined(x, y) for x, y in zip(elements, others, strict=True))
    if isinstance(elements, list):
        return [*elements, *others]
    if hasattr(elements, "iloc"):
        import pandas as pd

        return pd.concat([elements, others], ignore_index=True)
    own, its = np.asarray(elements), np.asarray(others)
    if own.shape[1:] != its.shape[1:]:
        raise ValueError(
            f"elements have shape {own.shape} and those given {its.shape}: "
            "all but the first number must agree"
        )
    if own.dtype != its.dtype:
        raise ValueError(f"elements are {own.dtype} and those given {its.dtype}: give one dtype")
    return np.concatenate([own, its])


def _numbers(elements: Any) -> list[Any]:
    return [x for x in jax.tree.leaves(elements) if hasattr(x, "dtype")]
