"""Near-duplicates: pairs of images closer than independent images of a dataset would be."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Bool, Float, Int

from lcrjax.numerics.memory import check_room
from lcrjax.numerics.processes import check_process
from lcrjax.pairwise.blocks import Blocks, Part, canonical_blocks, pairs_of_blocks, prepared, ready
from lcrjax.pairwise.neighbour_loops import PADDING, Points, labelled, tile_rmsd
from lcrjax.pairwise.neighbours import rmsd_of_pairs
from lcrjax.pairwise.tile_loops import tile_of
from lcrjax.pairwise.tiling import tile_side
from lcrjax.similarity import RMSD

#: Near-duplicates are closer than this part of the median distance between nearest neighbours.
PART_OF_MEDIAN = 0.25
_SAMPLE = 1024
#: Memory of one listed pair, with what a table of them takes.
BYTES_OF_PAIR = 256


@dataclasses.dataclass(frozen=True)
class Nearness:
    """From what distance on two images of a dataset count as near-duplicates, and why.

    Attributes:
        threshold: RMSD up to which they do.
        median: Median RMSD between an image and its nearest other image.
        dimension: Intrinsic dimension of the images near to each other.
        expected: Number of images that would have another one so near by chance, were images
            independent and everywhere as dense as at the median.
    """

    threshold: float
    median: float
    dimension: float
    expected: float


def nearness(rmsd: Float[np.ndarray, " n"], dimension: float, count: int | None = None) -> Nearness:
    r"""Choose from what distance on images count as near-duplicates.

    Among independent images in m dimensions, nearest neighbours at a distance of at most c times
    the median are a share of $1 - 2^{-c^m}$, about $c^m \ln 2$. The threshold is the median times
    c = 1/4 or $n^{-1/m}$, whichever is less: so near, fewer than one of n images has another by
    chance. It moves little while fewer than half of the images have near-duplicates.

    Args:
        rmsd: Distance of each image to its nearest other image; infinite ones do not count.
        dimension: m > 0, as `intrinsic_dimension` estimates it.
        count: How many images there are, where `rmsd` is of some of them.

    Returns:
        The threshold, and what it rests on.
    """
    known = rmsd[np.isfinite(rmsd)]
    if not len(known):
        return Nearness(0.0, 0.0, dimension, 0.0)
    median = float(np.median(known))
    many = len(known) if count is None else count
    part = min(PART_OF_MEDIAN, many ** (-1 / dimension))
    expected = -many * np.expm1(-np.log(2) * part**dimension)
    return Nearness(part * median, median, dimension, float(expected))


def intrinsic_dimension(images: Any, *, sample: int = _SAMPLE, seed: int = 0) -> float:
    """Estimate in how many dimensions images vary near to each other (TwoNN, by the median).

    In m dimensions the ratio of the distances to an image's second nearest and nearest neighbour
    has the median 2^(1/m), however dense images lie. Exact copies do not count.

    Args:
        images: n images, as `nearest_neighbours` takes them.
        sample: Number of images, chosen at random, whose neighbours among all are looked up.
        seed: Of that choice.

    Returns:
        The dimension; infinite where it cannot be estimated, as among fewer than three images.

    References:
        Facco et al. (2017), Estimating the intrinsic dimension of datasets by a minimal
        neighborhood information, Scientific Reports 7.
    """
    check_process()
    similarity, own, _ = canonical_blocks(RMSD(), images)
    n = len(own)
    if n < 3:
        return float("inf")
    similarity, _ = _in_own_unit(similarity)
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:sample])
    side = tile_side(own.rows, of="near-duplicates")
    here = prepared(similarity, own.sample, own.take(chosen))
    nearest = jnp.asarray(np.full((2, len(chosen)), np.inf, np.float32))
    for at, block in own.starting():
        points = ready(similarity, own, side, at, block).points
        places, count = jnp.asarray(chosen - at, jnp.int32), jnp.int32(len(block))
        nearest = _two_nearest(similarity, here, points, places, count, nearest, side)
    return dimension_of(*np.asarray(nearest, np.float64))


def dimension_of(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """Intrinsic dimension, by distances to nearest and second nearest neighbours."""
    known = (first > 0) & np.isfinite(second)
    ratio = float(np.median(second[known] / first[known])) if known.any() else 1.0
    return float(np.log(2) / np.log(ratio)) if ratio > 1 else float("inf")


def _in_own_unit(canonical: RMSD) -> tuple[RMSD, float]:
    """An RMSD in the unit of canonical images, and what this is in that of those given."""
    return dataclasses.replace(canonical, scale=1.0), float(np.asarray(canonical.scale))


@functools.partial(jax.jit, static_argnames="side")
def _two_nearest(
    similarity: RMSD,
    here: Any,
    points: Any,
    places: Int[Array, " s"],
    count: Array,
    nearest: Float[Array, "2 s"],
    side: int,
) -> Float[Array, "2 s"]:
    """RMSD to the nearest and second nearest so far, and of a block of `count` images.

    Args:
        similarity: In the unit of the images.
        here: Prepared images.
        points: Those of the block.
        places: Where in this the images themselves are, if they are.
        count: How many it has.
        nearest: What was found before.
        side: Side of a tile, static.
    """

    def column(j: Array, nearest: Array) -> Array:
        d = tile_rmsd(here, tile_of(points, j, side), similarity)
        place = j * side + jnp.arange(side, dtype=jnp.int32)
        d = jnp.where((place[None] == places[:, None]) | (place >= count)[None], jnp.inf, d)
        first = jnp.min(d, axis=1)
        rest = jnp.where(jnp.arange(side)[None] == jnp.argmin(d, axis=1)[:, None], jnp.inf, d)
        second = jnp.min(rest, axis=1)
        both = jnp.maximum(nearest[0], first)  # the greater of the two least
        return jnp.stack(
            [jnp.minimum(nearest[0], first), jnp.minimum(both, jnp.minimum(nearest[1], second))]
        )

    return lax.fori_loop(0, -(-count // side), column, nearest)


def count_close_pairs(
    images: Any,
    labels: Int[np.ndarray, " n"],
    candidates: Bool[np.ndarray, " n"],
    thresholds: Sequence[float | int],
) -> tuple[Int[np.ndarray, " t"], Int[np.ndarray, " t"]]:
    """Count the pairs of images up to some distances, within classes and across them.

    Args:
        images: n images, as `nearest_neighbours` takes them.
        labels: Their classes, integers.
        candidates: Images whose nearest neighbour lies within the largest threshold: no other can
            be in such a pair, so that few pairs need be looked at.
        thresholds: RMSDs, >= 0; 0 counts exact copies.

    Returns:
        Pairs within a class, and pairs across two, by threshold; each pair once.
    """
    check_process()
    canonical, own, _ = canonical_blocks(RMSD(), images)
    similarity, unit = _in_own_unit(canonical)
    counts = np.zeros((2, len(thresholds)), np.int64)
    if not candidates.any():
        return counts[0], counts[1]
    chosen = own.chosen(candidates)
    classes = np.asarray(labels)[candidates].astype(np.int32)
    side = tile_side(chosen.rows, of="near-duplicates")
    limits = jnp.asarray(np.asarray(thresholds, np.float64) / unit, jnp.float32)

    def with_classes(blocks: Blocks, at: int, block: np.ndarray) -> Part:
        part = ready(similarity, blocks, side, at, block)
        return part._replace(points=labelled(part.points, classes[at : at + len(block)]))

    for here, there, _ in pairs_of_blocks(chosen, None, with_classes):
        for tile in _tiles_of(here, there, side):
            each = jnp.bool_(here is there), *map(jnp.int32, tile)
            found = _count_tile(here.points, there.points, limits, each, similarity, side)
            counts += np.asarray(found)
    return counts[0], counts[1]


def list_close_pairs(
    images: Any,
    candidates: Bool[np.ndarray, " n"],
    threshold: float | int,
    others: Any = None,
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """List the pairs of images up to a distance, each pair once.

    Args:
        images: n images, as `nearest_neighbours` takes them.
        candidates: Images that may be in such a pair, as in `count_close_pairs`.
        threshold: RMSD, >= 0.
        others: m images that candidates are compared with; None for each other.
        progress: Called with the share that is done.

    Returns:
        Places of the first among the images and of the second among the others, or of both among
        the images, the lower one first; and their RMSD, exactly. They are in the order of places.

    Raises:
        ValueError: If there are more pairs than memory for them.
    """
    check_process()
    canonical, own, its = canonical_blocks(RMSD(), images, others)
    similarity, unit = _in_own_unit(canonical)
    (places,) = np.nonzero(candidates)
    nothing = np.empty(0, np.int64)
    if not len(places) or (its is not None and not len(its)):
        return nothing, nothing, np.empty(0)
    chosen = own.chosen(candidates)
    side = tile_side(max(chosen.rows, 0 if its is None else its.rows), of="near-duplicates")

    def make(blocks: Blocks, at: int, block: np.ndarray) -> Part:
        return ready(similarity, blocks, side, at, block)

    # A tile's distances are rounded: it lists a little more, and exact ones decide.
    limit = jnp.float32(threshold / unit * (1 + 1e-4) + 1e-30)
    found, total = [(nothing, nothing, np.empty(0))], 0
    for here, there, tell in pairs_of_blocks(chosen, its, make, progress):
        done, of = 0, -(-len(here.order) // side)
        for i, j in _tiles_of(here, there, side):
            if i > done:
                tell((done := i) / of)
            tile = jnp.int32(i), jnp.int32(j)
            close = _close(here.points, there.points, limit, tile, similarity, side)
            first, second = np.nonzero(np.asarray(close))
            first, second = first + i * side, second + j * side
            true = (first < len(here.order)) & (second < len(there.order))
            true &= (first < second) | (here is not there)
            first, second = first[true], second[true]
            check_room(BYTES_OF_PAIR * (total + len(first)), "near-duplicates")
            rmsd = rmsd_of_pairs(here.vectors, there.vectors, first, second, canonical)
            kept = rmsd <= threshold
            total += int(kept.sum())
            its_places = there.at + second[kept]
            its_places = places[its_places] if its is None else its_places
            found.append((places[here.at + first[kept]], its_places, rmsd[kept]))
        tell(1.0)
    first, second, rmsd = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((second, first))
    return first[order], second[order], rmsd[order]


def _tiles_of(here: Part, there: Part, side: int) -> Iterator[tuple[int, int]]:
    """Tiles of a pair of blocks, row by row: of a block with itself those above the diagonal."""
    rows, columns = (-(-len(part.order) // side) for part in (here, there))
    for i in range(rows):
        for j in range(i if here is there else 0, columns):
            yield i, j


@functools.partial(jax.jit, static_argnames="side")
def _close(
    points: Any,
    others: Any,
    limit: Array,
    tile: tuple[Array, Array],
    similarity: RMSD,
    side: int,
) -> Bool[Array, "side side"]:
    """Which pairs of a tile are close."""
    here, there = tile_of(points, tile[0], side), tile_of(others, tile[1], side)
    return tile_rmsd(here, there, similarity) <= limit


@functools.partial(jax.jit, static_argnames="side")
def _count_tile(
    points: Points,
    others: Points,
    limits: Array,
    tile: tuple[Array, Array, Array],
    similarity: RMSD,
    side: int,
) -> Int[Array, "2 t"]:
    """Count the pairs of a tile up to each limit, by kind; of the same points each pair once."""
    same, i, j = tile
    here, there = tile_of(points, i, side), tile_of(others, j, side)
    own, other = here.labels, there.labels
    d = tile_rmsd(here.prepared, there.prepared, similarity)
    place = jnp.arange(side, dtype=jnp.int32)
    wanted = (own != PADDING)[:, None] & (other != PADDING)[None]
    wanted &= ~same | ((i * side + place)[:, None] < (j * side + place)[None])
    alike = own[:, None] == other[None]

    def count(limit: Array) -> Array:
        close = wanted & (d <= limit)
        return jnp.stack([jnp.sum(close & alike), jnp.sum(close & ~alike)])

    return lax.map(count, limits).T
