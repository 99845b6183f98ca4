"""The nearest other image of every image, of its own class and of the others, by exact search."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from lcrjax.numerics.inputs import array
from lcrjax.numerics.processes import check_process
from lcrjax.pairwise.neighbour_loops import (
    ACROSS,
    PADDING,
    WITHIN,
    Least,
    Points,
    find_in_tiles,
    key_dtype,
    none_yet,
    prepare,
    search_rows,
)
from lcrjax.pairwise.tiling import padded_tiles, tile_side
from lcrjax.similarity import RMSD

_BLOCK = 128  # elements whose nearest ones lie in one tile, looked up together
_PAIRS_AT_ONCE = 2**28  # between two reports of progress
_VALUES_AT_ONCE = 2**22  # of images whose differences are taken on the host

_prepare = jax.jit(prepare)


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
    with that of pairs.

    Args:
        images: n images, (n, h, w) or (n, h, w, c); uint8, or floats in [0, 1].
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
    similarity, images, others = RMSD().canonical(images, others)
    classes = _classes("labels", labels, images)
    given = (labels, images) if others is None else (other_labels, others)
    other_classes = _classes("labels" if others is None else "other_labels", *given)
    side = tile_side(max(len(classes), len(other_classes)), of="neighbours")
    order = np.argsort(classes, kind="stable")
    other_order = order if others is None else np.argsort(other_classes, kind="stable")
    sorted_images, sorted_classes = _sorted(images, classes, order, side)
    sorted_others, sorted_other_classes = None, sorted_classes
    if others is not None:
        sorted_others, sorted_other_classes = _sorted(others, other_classes, other_order, side)
    prepared, prepared_others = _prepare(similarity, sorted_images, sorted_others)
    points = Points(prepared, sorted_classes)
    columns = None if others is None else Points(prepared_others, sorted_other_classes)
    least = _search(points, columns, (len(classes), len(other_classes)), side, progress)
    found = []
    for kind in (WITHIN, ACROSS):
        places, known = _look_up(points, columns, least, kind, len(classes), side)
        index = np.full(len(classes), -1, np.int64)
        index[order[known]] = other_order[places]
        rmsd = pair_rmsd(images, images if others is None else others, index, similarity)
        found.append(Neighbours(index, rmsd))
    return found[0], found[1]


def pair_rmsd(
    images: np.ndarray,
    others: np.ndarray,
    index: Int[np.ndarray, " n"],
    similarity: RMSD | None = None,
) -> Float[np.ndarray, " n"]:
    """Compute the RMSD of each image and the one of the others that an index names, exactly.

    Args:
        images: n images.
        others: Images of the same shape and dtype.
        index: One place among the others for each image; -1 gives infinity.
        similarity: What made them canonical: it knows their unit.
    """
    similarity = similarity or RMSD()
    unit = similarity.unit if images.dtype == np.uint8 else 1.0
    rate = float(np.asarray(similarity.scale)) / float(np.asarray(unit))
    out = np.full(len(index), np.inf)
    (known,) = np.nonzero(np.asarray(index) >= 0)
    dimension = int(np.prod(images.shape[1:]))
    step = max(1, _VALUES_AT_ONCE // dimension)
    for start in range(0, len(known), step):
        rows = known[start : start + step]
        # Sums of squares of bytes are whole numbers, and far below 2**53.
        first, second = (
            np.asarray(part).reshape(len(rows), dimension).astype(np.float64)
            for part in (images[rows], others[index[rows]])
        )
        difference = first - second
        squared = np.einsum("nd,nd->n", difference, difference)
        out[rows] = np.sqrt(squared / dimension) * rate
    return out


def _classes(name: str, labels: Any, images: Any) -> Int[np.ndarray, " n"]:
    classes = np.asarray(array(name, labels, nan=True))
    whole = classes.dtype.kind in "iub" and classes.shape == (len(images),)
    if not whole or (len(classes) and not 0 <= classes.min() <= classes.max() < 2**31):
        raise ValueError(
            f"{name} must be {len(images)} integers >= 0 and < 2**31, one for each image"
        )
    if not len(classes):
        raise ValueError("there are no images: give one at least")
    return classes.astype(np.int32)


def _sorted(
    images: Any, classes: Int[np.ndarray, " n"], order: Int[np.ndarray, " n"], side: int
) -> tuple[Any, Any]:
    """Sort images by class and fill the last tile; sizes fall into few classes, as elsewhere."""
    filling = padded_tiles(len(order), side) * side - len(order)
    places = np.append(order, np.full(filling, order[-1]))
    labels = np.append(classes[order], np.full(filling, PADDING)).astype(np.int32)
    return np.asarray(images)[places], jnp.asarray(labels)


def _search(
    points: Points,
    others: Points | None,
    counts: tuple[int, int],
    side: int,
    progress: Callable[[float], None] | None,
) -> Least:
    """Go through all tiles, some rows of them at a time."""
    n = len(points.labels)
    nothing = none_yet(key_dtype(points.prepared))
    least = Least(jnp.full((2, n), nothing), jnp.zeros((2, n), jnp.int32))
    tiles, columns = (-(-count // side) for count in counts)
    # A row of tiles has as many as its number where each pair is looked at once.
    lengths = np.arange(1, tiles + 1) if others is None else np.full(tiles, columns)
    done = np.cumsum(lengths) * side**2
    start = 0
    while start < tiles:
        before = done[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(done, before + _PAIRS_AT_ONCE, side="right")))
        bounds = jnp.int32(start), jnp.int32(stop)
        least = search_rows(least, points, others, bounds, jnp.int32(columns), side)
        if progress is not None:
            least.distance.block_until_ready()
            progress(float(done[stop - 1] / done[-1]))
        start = stop
    return least


def _look_up(
    points: Points, others: Points | None, least: Least, kind: int, count: int, side: int
) -> tuple[Int[np.ndarray, " known"], Int[np.ndarray, " known"]]:
    """Find the nearest elements in the tiles that have them: their places, and whose they are."""
    distance, tile = (np.asarray(part[kind])[:count] for part in least)
    (known,) = np.nonzero(distance != none_yet(distance.dtype))
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
    columns = points if others is None else others
    most = len(points.labels) // _BLOCK + len(columns.labels) // side + 1
    blocks = np.zeros((most, _BLOCK), np.int32)
    blocks[: len(rows)] = rows
    tiles = np.zeros(most, np.int32)
    tiles[: len(rows)] = tile[rows[:, 0]]
    found = find_in_tiles(
        points,
        columns,
        jnp.asarray(blocks),
        jnp.asarray(tiles),
        jnp.int32(len(rows)),
        side,
        kind,
        others is None,
    )
    return np.asarray(found)[: len(rows)].ravel()[used], rows.ravel()[used]
