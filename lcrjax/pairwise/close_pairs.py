"""Near-duplicates: pairs of images closer than independent images of a dataset would be."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Bool, Float, Int

from lcrjax.numerics.memory import check_room
from lcrjax.numerics.processes import check_process
from lcrjax.numerics.pytrees import map_elements
from lcrjax.pairwise.neighbour_loops import PADDING, prepare, tile_rmsd
from lcrjax.pairwise.neighbours import pair_rmsd
from lcrjax.pairwise.tile_loops import tile_of
from lcrjax.pairwise.tiling import tile_side
from lcrjax.similarity import RMSD

#: Near-duplicates are closer than this part of the median distance between nearest neighbours.
PART_OF_MEDIAN = 0.25
_SAMPLE = 1024
#: Memory of one listed pair, with what a table of them takes.
BYTES_OF_PAIR = 256
_PAIRS_AT_ONCE = 2**12
_prepare = jax.jit(prepare)


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


def nearness(rmsd: Float[np.ndarray, " n"], dimension: float) -> Nearness:
    r"""Choose from what distance on images count as near-duplicates.

    Among independent images in m dimensions, nearest neighbours at a distance of at most c times
    the median are a share of $1 - 2^{-c^m}$, about $c^m \ln 2$. The threshold is the median times
    c = 1/4 or $n^{-1/m}$, whichever is less: so near, fewer than one of n images has another by
    chance. It moves little while fewer than half of the images have near-duplicates.

    Args:
        rmsd: Distance of each image to its nearest other image; infinite ones do not count.
        dimension: m > 0, as `intrinsic_dimension` estimates it.

    Returns:
        The threshold, and what it rests on.
    """
    known = rmsd[np.isfinite(rmsd)]
    if not len(known):
        return Nearness(0.0, 0.0, dimension, 0.0)
    median = float(np.median(known))
    part = min(PART_OF_MEDIAN, len(known) ** (-1 / dimension))
    expected = -len(known) * np.expm1(-np.log(2) * part**dimension)
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
    similarity, images, _ = _in_own_unit(images)
    n = len(images)
    if n < 3:
        return float("inf")
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:sample])
    side = tile_side(n, of="near-duplicates")
    padded = _filled(images, np.arange(n), side)
    places, count = jnp.asarray(chosen, jnp.int32), jnp.int32(n)
    found = _two_nearest(similarity, padded, places, count, side)
    return dimension_of(*np.asarray(found, np.float64))


def dimension_of(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """Intrinsic dimension, by distances to nearest and second nearest neighbours."""
    known = (first > 0) & np.isfinite(second)
    ratio = float(np.median(second[known] / first[known])) if known.any() else 1.0
    return float(np.log(2) / np.log(ratio)) if ratio > 1 else float("inf")


def _in_own_unit(images: Any) -> tuple[RMSD, Any, float]:
    """Canonical images, an RMSD in their own unit, and what this is in that of `images`."""
    similarity, images, _ = RMSD().canonical(images, None)
    unit = float(np.asarray(similarity.scale))
    return dataclasses.replace(similarity, scale=1.0), images, unit


@functools.partial(jax.jit, static_argnames="side")
def _two_nearest(
    similarity: RMSD, images: Array, chosen: Int[Array, " s"], count: Array, side: int
) -> Float[Array, "2 s"]:
    """RMSD of chosen images to their nearest and second nearest others, of `count` images."""
    points, _ = prepare(similarity, images, None)
    here = map_elements(lambda x: x[chosen], points)

    def column(j: Array, nearest: Array) -> Array:
        d = tile_rmsd(here, tile_of(points, j, side), similarity)
        place = j * side + jnp.arange(side, dtype=jnp.int32)
        d = jnp.where((place[None] == chosen[:, None]) | (place >= count)[None], jnp.inf, d)
        first = jnp.min(d, axis=1)
        rest = jnp.where(jnp.arange(side)[None] == jnp.argmin(d, axis=1)[:, None], jnp.inf, d)
        second = jnp.min(rest, axis=1)
        both = jnp.maximum(nearest[0], first)  # the greater of the two least
        return jnp.stack(
            [jnp.minimum(nearest[0], first), jnp.minimum(both, jnp.minimum(nearest[1], second))]
        )

    nothing = jnp.full((2, len(chosen)), jnp.inf, jnp.float32)
    return lax.fori_loop(0, -(-count // side), column, nothing)


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
    similarity, images, unit = _in_own_unit(images)
    (chosen,) = np.nonzero(candidates)
    counts = np.zeros((2, len(thresholds)), np.int64)
    if not len(chosen):
        return counts[0], counts[1]
    side = tile_side(len(chosen), of="near-duplicates")
    tiles = -(-len(chosen) // side)
    part = _filled(images, chosen, side)
    padding = np.full(len(part) - len(chosen), PADDING)
    classes = np.append(np.asarray(labels)[chosen], padding).astype(np.int32)
    points, _ = _prepare(similarity, part, None)
    limits = jnp.asarray(np.asarray(thresholds, np.float64) / unit, jnp.float32)
    for i in range(tiles):
        for j in range(i + 1):
            tile = jnp.int32(i), jnp.int32(j)
            found = _count_tile(points, jnp.asarray(classes), limits, tile, similarity, side)
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
        the images, the lower one first; and their RMSD, exactly.

    Raises:
        ValueError: If there are more pairs than memory for them.
    """
    check_process()
    canonical, images, others = RMSD().canonical(images, others)
    similarity, unit = dataclasses.replace(canonical, scale=1.0), float(np.asarray(canonical.scale))
    (chosen,) = np.nonzero(candidates)
    same = others is None
    places = chosen if same else np.arange(len(others))
    others = images if same else others
    nothing = np.empty(0, np.int64)
    if not (len(chosen) and len(places)):
        return nothing, nothing, np.empty(0)
    side = tile_side(max(len(chosen), len(places)), of="near-duplicates")
    rows, columns = _filled(images, chosen, side), None if same else _filled(others, places, side)
    points, other_points = _prepare(similarity, rows, columns)
    # A tile's distances are rounded: it lists a little more, and exact ones decide.
    limit = jnp.float32(threshold / unit * (1 + 1e-4) + 1e-30)
    tiles, of = (-(-len(x) // side) for x in (chosen, places))
    found, total = [(nothing, nothing)], 0
    for i in range(tiles):
        for j in range(i if same else 0, of):
            tile = jnp.int32(i), jnp.int32(j)
            close = _close(points, points if same else other_points, limit, tile, similarity, side)
            first, second = np.nonzero(np.asarray(close))
            first, second = first + i * side, second + j * side
            true = (first < len(chosen)) & (second < len(places))
            true &= (first < second) | (not same)
            total += int(true.sum())
            check_room(BYTES_OF_PAIR * total, "near-duplicates")
            found.append((chosen[first[true]], places[second[true]]))
        progress((i + 1) / tiles)
    first, second = (np.concatenate(part) for part in zip(*found, strict=True))
    rmsd = np.empty(len(first))
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        now = slice(start, start + _PAIRS_AT_ONCE)
        rmsd[now] = pair_rmsd(images[first[now]], others, second[now], canonical)
    kept = rmsd <= threshold
    return first[kept], second[kept], rmsd[kept]


def _filled(images: Any, places: Int[np.ndarray, " k"], side: int) -> np.ndarray:
    """Chosen images, the last of them again up to whole tiles."""
    return np.asarray(images)[np.append(places, np.full(-len(places) % side, places[-1]))]


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
    points: Any,
    labels: Array,
    limits: Array,
    tile: tuple[Array, Array],
    similarity: RMSD,
    side: int,
) -> Int[Array, "2 t"]:
    """Count the pairs of a tile up to each limit, by kind; those on the diagonal once."""
    i, j = tile
    (here, own), (there, other) = (tile_of((points, labels), k, side) for k in tile)
    d = tile_rmsd(here, there, similarity)
    place = jnp.arange(side, dtype=jnp.int32)
    wanted = (own != PADDING)[:, None] & (other != PADDING)[None]
    wanted &= (i * side + place)[:, None] > (j * side + place)[None]
    alike = own[:, None] == other[None]

    def count(limit: Array) -> Array:
        close = wanted & (d <= limit)
        return jnp.stack([jnp.sum(close & alike), jnp.sum(close & ~alike)])

    return lax.map(count, limits).T
