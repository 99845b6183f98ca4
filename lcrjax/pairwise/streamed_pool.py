"""Elements on disk to choose from: parts that memory holds, and columns of Z block by block."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lcrjax.numerics.streams import Stream
from lcrjax.numerics.widths import float_dtype
from lcrjax.pairwise.columns import Columns
from lcrjax.pairwise.product import zp_of_canonical
from lcrjax.pairwise.streams import canonical_form, probe, product_of_stream
from lcrjax.similarity.base import Similarity

_PART_BYTES = 2**28  # of a part that is read into memory as a whole


def pool_of(similarity: Similarity, elements: Any) -> Columns:
    """Elements to choose from, wherever they lie."""
    kind = StreamedPool if isinstance(elements, Stream) else Columns
    return kind(similarity, elements)


class StreamedPool(Columns):
    """n elements of a stream. Each call for columns that are not kept reads all of them once.

    Memory holds some blocks, parts of up to 256 MiB with what is computed from them, and at most
    `KEPT_BYTES` of columns.

    Attributes:
        similarity: As it was given.
        elements: The stream.
    """

    def __init__(self, similarity: Similarity, elements: Stream) -> None:
        Columns(similarity, probe(elements).sample)  # refuses one that is not symmetric
        self._form = canonical_form(similarity, elements)
        super().__init__(similarity, elements, ready=True)

    def part(self, index: Int[np.ndarray, " m"]) -> Columns:
        """Some of the elements, as elements of their own: in memory, unless they are too large."""
        return next(self.parts([index]))

    def parts(self, places: Sequence[Int[np.ndarray, " _"]]) -> Iterator[Columns]:
        """Likewise several, of which small ones are read together."""
        similarity, convert = self._form
        waiting: list[np.ndarray] = []
        for number, index in enumerate(places):
            waiting.append(index)
            more = places[number + 1 : number + 2]
            if more and self._bytes(sum(map(len, waiting)) + len(more[0])) <= _PART_BYTES:
                continue
            if self._bytes(len(index)) > _PART_BYTES:
                chosen = np.zeros(len(self), bool)
                chosen[index] = True
                yield StreamedPool(self.similarity, self.elements.chosen(chosen))
            else:
                held = convert(self.elements.take(np.concatenate(waiting)))
                for part in np.split(held, np.cumsum(list(map(len, waiting)))[:-1]):
                    yield Columns(similarity, part, ready=True)
            waiting = []

    def above(
        self, index: Int[np.ndarray, " k"], floor: Float[np.ndarray, " k"]
    ) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " s"], Float[np.ndarray, " s"]]:
        """As of `Columns`, without whole columns."""
        similarity, convert = self._form
        others, table = convert(self.elements.take(index)), jnp.eye(len(index))
        found, at = [], 0
        for block in self.elements.blocks(self.elements.rows_at_once):
            z = np.asarray(zp_of_canonical(similarity, convert(block), others, table)).T
            whose, places = np.nonzero(z > floor[:, None])
            found.append((whose, (places + at).astype(np.int32), z[whose, places]))
            at += len(block)
        whose, places, similarities = (np.concatenate(x) for x in zip(*found, strict=True))
        order = np.argsort(whose, kind="stable")
        return np.bincount(whose, minlength=len(index)), places[order], similarities[order]

    def _bytes(self, count: int) -> int:
        return count * self.elements.dtype.itemsize * int(np.prod(self.elements.shape[1:]))

    def _pool(self) -> None:
        """No kernel packs them."""

    def _product(self, weights: np.ndarray, picked: np.ndarray | None) -> np.ndarray:
        others = None if picked is None else self.elements.take(picked)
        table = weights.astype(float_dtype(np.zeros(0, self.elements.dtype)))
        found = product_of_stream(self.similarity, self.elements, table, others)
        return found.astype(np.float64)
