"""Elements block by block in the form that is compared, and pairs of blocks: in all, all pairs."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Int

from lcrjax.numerics.inputs import numbers
from lcrjax.numerics.streams import Stream, as_stream
from lcrjax.pairwise.streams import canonical_form, probe
from lcrjax.pairwise.tiling import SMALLEST_TILE, padded, padded_tiles
from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.distances import squares

_SAMPLE = 64  # elements whose mean is the centre of all


class Part(NamedTuple):
    """A block that is ready to be compared.

    Attributes:
        at: Place of its first element.
        order: Places of its elements in the block, in the order in which the others are.
        points: These elements prepared, filled up to whole tiles.
        vectors: The same on the host, in canonical form: on a CPU they are one array.
    """

    at: int
    order: Int[np.ndarray, " m"]
    points: Any
    vectors: np.ndarray


@dataclasses.dataclass(frozen=True)
class Blocks:
    """Elements in the form that a similarity compares; what lies in memory is one block.

    Attributes:
        given: Canonical elements, or a stream of what `convert` makes so.
        convert: That.
        sample: Some elements in this form, always as many; the same for elements and others.
    """

    given: np.ndarray | Stream
    convert: Callable[[np.ndarray], np.ndarray]
    sample: np.ndarray

    def __len__(self) -> int:
        return len(self.given)

    @property
    def rows(self) -> int:
        """Elements of a block, of which the last may have fewer."""
        if not isinstance(self.given, Stream):
            return len(self)
        return min(len(self), max(SMALLEST_TILE, self.given.rows_at_once))

    def size(self, side: int) -> int:
        """Elements of a block that is filled up to whole tiles."""
        return padded_tiles(self.rows, side) * side

    def starting(self, first: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        """Blocks from a place on, where one begins, each with its own place."""
        if not isinstance(self.given, Stream):
            yield first, self.given
            return
        for number, block in enumerate(self.given.blocks(self.rows, first)):
            yield first + number * self.rows, self.convert(block)

    def chosen(self, which: Bool[np.ndarray, " n"]) -> "Blocks":
        """Some of the elements, as blocks of their own."""
        if isinstance(self.given, Stream):
            return dataclasses.replace(self, given=self.given.chosen(which))
        return self if which.all() else dataclasses.replace(self, given=self.given[which])

    def take(self, index: Int[np.ndarray, " m"]) -> np.ndarray:
        """Some elements by their places."""
        found = self.given
        return self.convert(found.take(index)) if isinstance(found, Stream) else found[index]


def canonical_blocks(
    similarity: TiledSimilarity, elements: Any, others: Any = None
) -> tuple[Any, Blocks, Blocks | None]:
    """A similarity, elements and others in canonical form.

    Args:
        similarity: One of arrays.
        elements: In memory, or a `Stream` or what becomes one, see `as_stream`.
        others: Likewise; None for the elements. If one of both is read in blocks, both are.

    Raises:
        ValueError: If these are not what the similarity compares.
    """
    given = [as_stream(x) for x in (elements, others) if x is not None]
    if not any(isinstance(x, Stream) for x in given):
        similarity, *found = similarity.canonical(elements, others)
        arrays = [np.asarray(x) for x in found if x is not None]
        blocks = [Blocks(x, lambda block: block, _sample(arrays[0])) for x in arrays]
    else:
        streams = [
            x if isinstance(x, Stream) else Stream(np.asarray(numbers(what, x)), what=what)
            for x, what in zip(given, ("elements", "others"), strict=False)
        ]
        similarity, convert = canonical_form(similarity, *streams)
        sample = _sample(convert(probe(streams[0]).sample))
        blocks = [Blocks(x, convert, sample) for x in streams]
    return similarity, blocks[0], blocks[1] if len(blocks) > 1 else None


def _sample(elements: np.ndarray) -> np.ndarray:
    return elements[np.linspace(0, len(elements) - 1, _SAMPLE if len(elements) else 0).astype(int)]


def ready(
    similarity: TiledSimilarity,
    blocks: Blocks,
    side: int,
    at: int,
    block: np.ndarray,
    order: Int[np.ndarray, " m"] | None = None,
) -> Part:
    """Make a block ready to be compared, in another order if that is given."""
    points = prepared(similarity, blocks.sample, padded(block, blocks.size(side), order))
    vectors = points.vectors if isinstance(points, squares.Floats) else points.pixels
    return Part(at, np.arange(len(block)) if order is None else order, points, np.asarray(vectors))


@jax.jit
def prepared(similarity: TiledSimilarity, sample: jax.Array, elements: jax.Array) -> Any:
    """Elements of a block as `TiledSimilarity.prepare` has them, about the centre of a sample."""
    return similarity.prepare_both(sample, elements)[1]


def pairs_of_blocks(
    own: Blocks,
    others: Blocks | None,
    make: Callable[[Blocks, int, np.ndarray], Part],
    progress: Callable[[float], None] | None = None,
) -> Iterator[tuple[Part, Part, Callable[[float], None]]]:
    """Go through the pairs of blocks: own ones meet themselves, and then those after them.

    The next block is read while one is computed with.

    Args:
        own: Blocks.
        others: What they are compared with; None for each other.
        make: Makes the elements from a place of some blocks on ready, as `ready` does.
        progress: Called with the share that is done.

    Yields:
        A block and what it is compared with, the same object for itself; and what tells the share
        of their pairs that is done.
    """
    done, total = 0, len(own) * len(own if others is None else others)
    for here, there in _met(own, others, make):
        work = len(here.order) * len(there.order)
        work *= 2 if others is None and here is not there else 1

        def tell(share: float, before: int = done, work: int = work) -> None:
            if progress is not None:
                progress((before + share * work) / total)

        yield here, there, tell
        done += work


def _met(
    own: Blocks, others: Blocks | None, make: Callable[[Blocks, int, np.ndarray], Part]
) -> Iterator[tuple[Part, Part]]:
    for first in range(0, len(own), own.rows):
        mine = own.starting(first)
        here = make(own, *next(mine))
        if others is None:
            yield here, here
        blocks, rest = (own, mine) if others is None else (others, others.starting())
        for at, block in rest:
            yield here, make(blocks, at, block)
