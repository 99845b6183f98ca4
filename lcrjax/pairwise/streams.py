"""Z w of elements that are read block by block: blocks against blocks, each pair once."""

import dataclasses
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from lcrjax.native.calls import SIDE as SPLIT
from lcrjax.numerics.progress import part
from lcrjax.numerics.streams import Stream
from lcrjax.pairwise.checkpoints import Checkpoint
from lcrjax.pairwise.factored import (
    Vectors,
    are_inner_products,
    product_of_factors,
    vectors_of_array,
)
from lcrjax.pairwise.indicators import Indicators
from lcrjax.pairwise.product import products_of_two, zp_of_canonical
from lcrjax.similarity.base import Similarity, TiledSimilarity, in_words
from lcrjax.similarity.distance_kernels import is_positive
from lcrjax.similarity.distances.squares import LEVELS, first_between
from lcrjax.similarity.in_blocks import check_in_blocks

#: What is kept of sums (m, k) of the elements at some places.
Kept = Callable[[slice, Float[np.ndarray, "m k"]], Float[np.ndarray, "m j"]]
#: Elements of a block that is compared with others: more take memory and save no time.
_MOST_ROWS = 2**15
_SAMPLE = 64  # elements that stand for all where a similarity looks at them before long work


@dataclasses.dataclass(frozen=True)
class Probe:
    """What one pass over a stream finds out, for any similarity.

    Attributes:
        sample: Some of the elements.
        rows: These, the least and the largest number at each place, and elements that say that
            pixels are no k/255 and the like: what is decided from these is right for all.
        checksum: Of all elements.
    """

    sample: np.ndarray
    rows: np.ndarray
    checksum: int


def probe(stream: Stream) -> Probe:
    """Look at all elements once; what was found is kept with the stream.

    Raises:
        ValueError: If there are none, one holds NaN or infinity, or blocks do not fit together.
    """
    found = stream.known.get("probe")
    if found is None:
        found = stream.known["probe"] = _looked_through(stream)
    return found


def _looked_through(stream: Stream) -> Probe:
    ends: list[np.ndarray] = []
    parts: list[np.ndarray] = []
    between: dict[int, np.ndarray] = {}
    at = checksum = 0
    for block in stream.blocks(stream.rows_at_once):
        least = block.min(axis=0), block.max(axis=0)
        if not all(np.isfinite(x).all() for x in least):
            row, *inner = map(int, np.argwhere(~np.isfinite(block))[0])
            place = (at + row, *inner)
            raise ValueError(f"{stream.what} hold NaN or infinity, first at {place}: remove it")
        ends = [np.minimum(ends[0], least[0]), np.maximum(ends[1], least[1])] if ends else [*least]
        parts.append(np.array(block[:: -(-len(block) // _SAMPLE)]))
        for most in LEVELS if block.dtype.kind == "f" else ():
            if most not in between and (odd := first_between(block, most)) is not None:
                between[most] = np.array(block[odd])
        checksum = zlib.crc32(np.ascontiguousarray(block).data, checksum)
        at += len(block)
    if not at:
        raise ValueError(f"there are no {stream.what}: give one at least")
    sample = np.concatenate(parts)
    sample = sample[:: -(-len(sample) // _SAMPLE)]
    return Probe(sample, np.concatenate([sample, np.stack([*ends, *between.values()])]), checksum)


def canonical_form(
    similarity: Similarity, *streams: Stream
) -> tuple[TiledSimilarity, Callable[[np.ndarray], np.ndarray]]:
    """A similarity in the form that all elements of streams make it take, and blocks in that form.

    Args:
        similarity: One of arrays, computed in tiles.
        *streams: One, or elements and others; of these one may hold bytes, for `RMSD`.

    Raises:
        ValueError: If it does not compare arrays in tiles, or not these.
    """
    check_in_blocks(similarity)
    assert isinstance(similarity, TiledSimilarity)
    seen = [probe(stream) for stream in streams]
    sample, rows = seen[0].sample, seen[0].rows
    similarity.canonical(sample, None)  # compares some with themselves
    if len(seen) > 1:
        shapes = [stream.shape for stream in streams]
        if shapes[0][1:] != shapes[1][1:]:
            raise ValueError(
                f"elements have shape {shapes[0]} and others {shapes[1]}: "
                "all but the first number must agree"
            )
        both = [x.rows for x in seen]
        if both[0].dtype != both[1].dtype:  # bytes beside fractions stand for k/255
            wide = np.result_type(*(x for x in both if x.dtype != np.uint8))
            both = [x / wide.type(255) if x.dtype == np.uint8 else x for x in both]
        rows = np.concatenate(both)
    own = similarity.canonical(rows, sample)[0]
    return own, lambda block: np.asarray(similarity.canonical(rows, block)[2])


def product_of_stream(
    similarity: Similarity,
    elements: Any,
    weights: Float[np.ndarray, "m k"] | Indicators,
    others: Any = None,
    checkpoint: Checkpoint | None = None,
    kept: Kept | None = None,
) -> Float[np.ndarray, "n k"] | Float[np.ndarray, "n j"]:
    """Compute Z w where the elements, the others or both are read block by block.

    Args:
        similarity: One of arrays, computed in tiles.
        elements: A `Stream` of n elements; or an array, where the others are one.
        weights: One column for each distribution.
        others: m elements, or a stream of them; None for `elements`.
        checkpoint: Where partial sums are kept while all pairs of a stream are computed.
        kept: What of the sums of a stream's elements is kept. Of all pairs, where similarities are
            positive, it is asked of parts of the sums, which are added up: a linear function, and
            no more takes memory.

    Returns:
        In the dtype of the weights; sums are added up in float64, in which what is kept stays.

    Raises:
        ValueError: If elements are not what the similarity compares, a stream changes between two
            passes, or the checkpoint is of another computation.
    """
    stream = elements if isinstance(elements, Stream) else others
    own, convert = canonical_form(similarity, stream)
    given = [
        x if isinstance(x, Stream) else convert(x) for x in (elements, others) if x is not None
    ]
    sets = [_vectors(x, convert) for x in given]
    left = None
    if checkpoint is not None and others is None:
        left = checkpoint.load(_named(similarity, elements, weights, _rows(elements)))
    if are_inner_products(own, *sets):
        found = product_of_factors(own, sets[0], sets[1] if len(sets) > 1 else None, weights)
        if checkpoint is not None:
            checkpoint.remove()
        return found if kept is None else _some_of(found, kept)
    if others is None:
        at_once = kept if is_positive(similarity) else None
        sums = _all_pairs(similarity, own, convert, elements, weights, checkpoint, left, at_once)
        if kept is None:
            return sums.astype(weights.dtype)
        return sums if at_once else _some_of(sums, kept)
    blocks = stream.blocks(stream.rows_at_once)
    if stream is elements:
        columns, table = given[1], jnp.asarray(weights[:])
        parts, at = [], 0
        for block in blocks:
            with part(at / len(stream), (at + len(block)) / len(stream)):
                found = np.asarray(zp_of_canonical(own, convert(block), columns, table))
            parts.append(found if kept is None else kept(slice(at, at + len(block)), found))
            at += len(block)
        return np.concatenate(parts)
    rows, at = given[0], 0
    sums = np.zeros((len(rows), weights.shape[1]))
    for block in blocks:
        table = jnp.asarray(weights[at : at + len(block)])
        with part(at / len(stream), (at + len(block)) / len(stream)):
            sums += np.asarray(zp_of_canonical(own, rows, convert(block), table))
        at += len(block)
    return sums.astype(weights.dtype)


def _vectors(given: Any, convert: Callable[[np.ndarray], np.ndarray]) -> Vectors:
    """Elements of a stream, or a canonical array, as vectors."""
    if not isinstance(given, Stream):
        return vectors_of_array(given)
    seen = probe(given)

    def blocks() -> Iterator[np.ndarray]:
        return map(convert, given.blocks(given.rows_at_once))

    return Vectors(blocks, convert(seen.sample), seen.rows.min)


def _some_of(sums: Float[np.ndarray, "n k"], kept: Kept) -> Float[np.ndarray, "n j"]:
    """What is kept of whole sums, some at a time."""
    places = (slice(at, at + _MOST_ROWS) for at in range(0, len(sums), _MOST_ROWS))
    return np.concatenate([kept(its, sums[its]) for its in places])


def _all_pairs(
    similarity: Similarity,
    own: TiledSimilarity,
    convert: Callable[[np.ndarray], np.ndarray],
    stream: Stream,
    weights: Float[np.ndarray, "n k"] | Indicators,
    checkpoint: Checkpoint | None,
    left: tuple[np.ndarray, tuple[int, int]] | None,
    kept: Kept | None,
) -> Float[np.ndarray, "n j"]:
    """Each block against itself and those after it, in as many passes as there are blocks.

    A checkpoint may have left sums of some pairs, and where to go on.
    """
    rows = _rows(stream)
    keep = kept or (lambda _, sums: sums)
    width = keep(slice(0, 1), np.zeros((1, weights.shape[1]))).shape[1]
    sums, place = left or (np.zeros((len(weights), width)), (0, 0))

    def share(first: int, at: int) -> float:
        """Of all pairs, where the block from `first` was compared with all others up to `at`."""
        n, count = len(weights), min(rows, len(weights) - first)
        return (n**2 - (n - first) ** 2 + count * (2 * (at - first) - count)) / n**2

    for first in range(place[0], len(weights), rows):
        blocks = stream.blocks(rows, first)
        here = convert(next(blocks))
        own_weights, its = weights[first : first + rows], slice(first, first + rows)
        at = first + rows
        if place[1] and place[0] == first:  # as a checkpoint says
            at = place[1]
            blocks.close()
            blocks = stream.blocks(rows, at)
        else:
            with part(share(first, first + len(here) // 2), share(first, first + len(here))):
                inside = zp_of_canonical(own, here, None, jnp.asarray(own_weights))
                sums[its] += keep(its, np.asarray(inside))
        for block in blocks:
            there = slice(at, at + len(block))
            with part(share(first, at), share(first, at + len(block))):
                found = products_of_two(own, here, convert(block), own_weights, weights[there])
            sums[its] += keep(its, np.asarray(found[0]))
            sums[there] += keep(there, np.asarray(found[1]))
            at += rows
            if checkpoint is not None:
                checkpoint.offer(sums, (first, at))
    if checkpoint is not None:
        checkpoint.remove()
    return sums


def _rows(stream: Stream) -> int:
    """Elements of a block that is compared with others."""
    return max(SPLIT, min(_MOST_ROWS, stream.rows_at_once) // SPLIT * SPLIT)


def _named(
    similarity: Similarity, stream: Stream, weights: np.ndarray | Indicators, rows: int
) -> dict[str, str]:
    """What tells one computation from another, the same in every process."""
    if isinstance(weights, Indicators):
        labels = weights.checksum
    else:
        labels = zlib.crc32(np.ascontiguousarray(weights).data)
    return {
        "elements": f"{stream.shape} {stream.dtype} {probe(stream).checksum}",
        "similarity": in_words(similarity)["form of the similarity"],
        "labels": f"{weights.shape} {labels}",
        "blocks": f"{rows}",
    }
