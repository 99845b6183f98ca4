"""The nearest other image of every image, of its own class and of the others, by exact search."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, Shaped

from lcrjax.numerics.inputs import array
from lcrjax.numerics.processes import check_process
from lcrjax.pairwise.blocks import Blocks, Part, canonical_blocks, pairs_of_blocks, ready
from lcrjax.pairwise.neighbour_loops import (
    ACROSS,
    WITHIN,
    Least,
    Points,
    find_in_tiles,
    key_dtype,
    labelled,
    none_yet,
    search_rows,
)
from lcrjax.pairwise.tiling import tile_side
from lcrjax.similarity import RMSD

_BLOCK = 128  # elements whose nearest ones lie in one tile, looked up together
_PAIRS_AT_ONCE = 2**28  # between two reports of progress
_VALUES_AT_ONCE = 2**22  # of images whose differences are taken on the host


@dataclasses.dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest image of each of n images, of one kind.

    Attributes:
        index: Its index; -1 where there is none.
        rmsd: Root-mean-squared difference of their pixels, in [0, 1]; infinite where there is none.
    """

    index: Int[np.ndarray, " n"]
    rmsd: Float[np.ndarray, " n"]


def nearest_neighbours(
    images: Any,
    labels: Any,
    others: Any = None,
    other_labels: Any = None,
    *,
    progress: Callable[[float], None] | None = None,
) -> tuple[Neighbours, Neighbours]:
    """Find the nearest image of every image, in its own class and in the other classes.

    All pairs are compared. Of uint8 images (and floats that are k/255) squared distances are exact
    integers, so that identical images have a distance of exactly zero, and ties go to the lower
    class and then the lower index; beyond 33,025 values an image, they are rounded to float32
    before they are compared. Of other floats, images whose distances to an image differ by less
    than one part in 30,000 may pass for one another. Memory grows with the number of images, time
    with that of pairs. Of a stream memory holds some blocks, and a few numbers for each image.

    Args:
        images: n images, (n, h, w) or (n, h, w, c); uint8, or floats in [0, 1]. A `lcrjax.Stream`
            of them, or what `lcrjax.measure` reads in blocks, is so read.
        labels: Their classes, (n,), integers.
        others: m images to look among; None for `images`, of which none is its own neighbour.
        other_labels: Their classes, (m,).
        progress: Called now and then with the share that is done.

    Returns:
        The nearest of the same class, and the nearest of another class.

    Raises:
        ValueError: If images are not what `RMSD` compares, or there is not one label for each.

    Examples:
        >>> import numpy as np
        >>> images = np.array([[[0]], [[9]], [[9]], [[200]]], np.uint8)
        >>> within, across = nearest_neighbours(images, [0, 0, 1, 0])
        >>> print(within.index.tolist(), across.index.tolist(), across.rmsd[1])
        [1, 0, -1, 1] [2, 2, 1, 2] 0.0
    """
    check_process()
    similarity, own, its = canonical_blocks(RMSD(), images, others)
    classes = other_classes = _classes("labels", labels, len(own))
    if its is not None:
        other_classes = _classes("other_labels", other_labels, len(its))
    columns = own if its is None else its
    side = tile_side(max(own.rows, columns.rows), of="neighbours")
    best = _Best(len(own), other_classes, similarity, side)

    def sorted_by_class(blocks: Blocks, at: int, block: np.ndarray) -> Part:
        labels = (classes if blocks is own else other_classes)[at : at + len(block)]
        order = np.argsort(labels, kind="stable")
        part = ready(similarity, blocks, side, at, block, order)
        return part._replace(points=labelled(part.points, labels[order]))

    for here, there, tell in pairs_of_blocks(own, its, sorted_by_class, progress):
        both = its is None and here is not there
        least, down = _search(here, there, both, side, progress and tell)
        best.improve(here, there, least)
        if down is not None:
            best.improve(there, here, down)
    within, across = (Neighbours(best.index[k], best.rmsd[k]) for k in (WITHIN, ACROSS))
    return within, across


class _Best:
    """The nearest so far of each of n elements, by kind of pair.

    Attributes:
        index: (2, n) places of these.
        rmsd: (2, n) how far they are.
    """

    def __init__(
        self, n: int, other_classes: Int[np.ndarray, " m"], similarity: RMSD, side: int
    ) -> None:
        self.index, self.rmsd = np.full((2, n), -1, np.int64), np.full((2, n), np.inf)
        self._keys = self.rmsd.copy()  # in the unit of `distances`, which float64 holds
        self._classes, self._similarity, self._side = other_classes, similarity, side

    def improve(self, here: Part, there: Part, least: Least) -> None:
        """Take what is nearer in a block than what blocks before it had."""
        found_keys, tiles = (np.asarray(part)[:, : len(here.order)] for part in least)
        all_keys = np.where(found_keys == none_yet(found_keys.dtype), np.inf, found_keys)
        for kind, keys, tile in zip((WITHIN, ACROSS), all_keys, tiles, strict=True):
            old = self._keys[kind, here.at + here.order]
            (rows,) = np.nonzero((keys <= old) & (keys < np.inf))
            found, rows = _look_up(here.points, there.points, rows, tile, kind, self._side)
            new, places = there.at + there.order[found], here.at + here.order[rows]
            # Of two as near the one of the lower class wins, and then the earlier.
            lower = self._classes[new] < self._classes[self.index[kind, places]]
            kept = (keys[rows] < old[rows]) | lower
            found, rows, new, places = (x[kept] for x in (found, rows, new, places))
            self._keys[kind, places], self.index[kind, places] = keys[rows], new
            self.rmsd[kind, places] = rmsd_of_pairs(
                here.vectors, there.vectors, rows, found, self._similarity
            )


def rmsd_of_pairs(
    images: Shaped[np.ndarray, "n d"],
    others: Shaped[np.ndarray, "m d"],
    first: Int[np.ndarray, " p"],
    second: Int[np.ndarray, " p"],
    similarity: RMSD,
) -> Float[np.ndarray, " p"]:
    """Compute the RMSD of some pairs exactly.

    Args:
        images: Canonical images, as vectors.
        others: Others of the same dtype.
        first: Places among the images.
        second: Places among the others, of as many.
        similarity: What made them canonical: it knows their unit.
    """
    unit = similarity.unit if images.dtype == np.uint8 else 1.0
    rate = float(np.asarray(similarity.scale)) / float(np.asarray(unit))
    out = np.empty(len(first))
    dimension = images.shape[1]
    step = max(1, _VALUES_AT_ONCE // dimension)
    for start in range(0, len(first), step):
        now = slice(start, start + step)
        # Sums of squares of bytes are whole numbers, and far below 2**53.
        difference = images[first[now]].astype(np.float64) - others[second[now]]
        squared = np.einsum("nd,nd->n", difference, difference)
        out[now] = np.sqrt(squared / dimension) * rate
    return out


def _classes(name: str, labels: Any, count: int) -> Int[np.ndarray, " n"]:
    classes = np.asarray(array(name, labels, nan=True))
    whole = classes.dtype.kind in "iub" and classes.shape == (count,)
    if not whole or (len(classes) and not 0 <= classes.min() <= classes.max() < 2**31):
        raise ValueError(f"{name} must be {count} integers >= 0 and < 2**31, one for each image")
    if not len(classes):
        raise ValueError("there are no images: give one at least")
    return classes.astype(np.int32)


def _search(
    here: Part, there: Part, both: bool, side: int, progress: Callable[[float], None] | None
) -> tuple[Least, Least | None]:
    """Go through all tiles of a pair of blocks, some rows of them at a time.

    Returns:
        The least distances of the first; and of the second, if both are wanted.
    """
    same = here is there
    others = None if same else there.points

    def nothing(points: Points) -> Least:
        shape, none = (2, len(points.labels)), none_yet(key_dtype(points.prepared))
        return Least(jnp.asarray(np.full(shape, none)), jnp.asarray(np.zeros(shape, np.int32)))

    least, its = nothing(here.points), nothing(there.points) if both else None
    tiles, columns = (-(-len(part.order) // side) for part in (here, there))
    # A row of tiles has as many as its number where each pair is looked at once.
    lengths = np.arange(1, tiles + 1) if same else np.full(tiles, columns)
    done = np.cumsum(lengths) * side**2
    start = 0
    while start < tiles:
        before = done[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(done, before + _PAIRS_AT_ONCE, side="right")))
        bounds = jnp.int32(start), jnp.int32(stop)
        least, its = search_rows(least, its, here.points, others, bounds, jnp.int32(columns), side)
        if progress is not None:
            least.distance.block_until_ready()
            progress(float(done[stop - 1] / done[-1]))
        start = stop
    return least, its


def _look_up(
    points: Points,
    others: Points,
    known: Int[np.ndarray, " k"],
    tile: Int[np.ndarray, " n"],
    kind: int,
    side: int,
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """Find the nearest of some elements in the tiles that have them: their places, and whose."""
    known = known[np.argsort(tile[known], kind="stable")]
    if not len(known):
        return known, known
    # Blocks of elements whose nearest ones lie in the same tile; the last of a tile is filled up.
    _, starts, sizes = np.unique(tile[known], return_index=True, return_counts=True)
    rows = np.concatenate(
        [
            np.resize(known[start : start + size], -(-size // _BLOCK) * _BLOCK)
            for start, size in zip(starts, sizes, strict=True)
        ]
    ).reshape(-1, _BLOCK)
    used = np.concatenate([np.arange(-(-size // _BLOCK) * _BLOCK) < size for size in sizes])
    most = len(points.labels) // _BLOCK + len(others.labels) // side + 1
    blocks = np.zeros((most, _BLOCK), np.int32)
    blocks[: len(rows)] = rows
    tiles = np.zeros(most, np.int32)
    tiles[: len(rows)] = tile[rows[:, 0]]
    found = find_in_tiles(
        points,
        others,
        jnp.asarray(blocks),
        jnp.asarray(tiles),
        jnp.int32(len(rows)),
        jnp.int32(kind),
        jnp.bool_(points is others),
        side,
    )
    return np.asarray(found)[: len(rows)].ravel()[used], rows.ravel()[used]
