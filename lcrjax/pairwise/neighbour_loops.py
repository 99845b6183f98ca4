"""Loops over tiles of squared distances that keep each element's least, in bounded memory.

Elements are sorted by class, so that most tiles hold pairs of one kind alone, within a class or
across two, and need no mask. A tile serves its rows and, where rows and columns are the same
elements, its columns as well.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float, Int, Shaped

from lcrjax.numerics.pytrees import map_elements
from lcrjax.pairwise.tile_loops import tile_of
from lcrjax.similarity import RMSD
from lcrjax.similarity.distances import squares
from lcrjax.similarity.distances.cancellation import even_distances

#: Places of the two kinds of pairs.
WITHIN, ACROSS = 0, 1
#: Class of the elements that only fill the last tile.
PADDING = -1


class Points(NamedTuple):
    """Elements prepared for distances, and their classes, in ascending order, padding last."""

    prepared: Any
    labels: Int[Array, " n"]


def labelled(prepared: Any, classes: Int[np.ndarray, " m"]) -> Points:
    """Prepared elements, of which m are no padding, with their classes."""
    size = len(jax.tree.leaves(prepared)[0])
    return Points(
        prepared, jnp.asarray(np.append(classes, np.full(size - len(classes), PADDING, np.int32)))
    )


class Least(NamedTuple):
    """For each element and kind of pair, the least distance so far and the tile that has it."""

    distance: Shaped[Array, "2 n"]
    tile: Int[Array, "2 n"]


def key_dtype(prepared: Any) -> np.dtype:
    """Dtype of what `distances` returns."""
    if isinstance(prepared, squares.Floats):
        return np.dtype(prepared.squares.dtype)
    return np.dtype(np.int32 if prepared.dimension * 255**2 < 2**31 else np.float32)


def distances(rows: Any, columns: Any, same: Array | bool) -> Shaped[Array, "a b"]:
    """Numbers that grow with the distance of a tile's pairs.

    They are squared distances: of bytes as int32, where that holds them.
    """
    if isinstance(rows, squares.Floats):
        return even_distances(rows, columns, same)
    return squares.byte_distances(rows, columns, key_dtype(rows))


def tile_rmsd(rows: Any, columns: Any, similarity: RMSD) -> Float[Array, "a b"]:
    """RMSD of a tile's pairs, in float32; those of copies are zero, and of bytes no others.

    Args:
        rows: Prepared elements.
        columns: Prepared others.
        similarity: What prepared them; its scale is one, but for a unit of the elements.
    """
    of_bytes = isinstance(rows, squares.Bytes)
    squared = distances(rows, columns, False).astype(jnp.float32)
    return jnp.sqrt(squared) * similarity.rate(rows.dimension, jnp.float32, of_bytes)


def none_yet(dtype: Any) -> Any:
    """More than any distance in a dtype."""
    if np.issubdtype(dtype, np.floating):
        return np.asarray(np.inf, dtype)[()]
    return np.asarray(np.iinfo(dtype).max, dtype)[()]


def _masked(d: Array, rows: Array, columns: Array, same: Array | bool, kind: Array | int) -> Array:
    """Distances of one kind of pairs between true elements; an element is no pair with itself."""
    alike = rows[:, None] == columns[None, :]
    wanted = (alike == (kind == WITHIN)) & (columns != PADDING)[None, :]
    wanted &= (rows != PADDING)[:, None] & ~squares.diagonal(d.shape, same)
    return jnp.where(wanted, d, none_yet(d.dtype))


def _least_of_tile(
    d: Array, rows: Array, columns: Array, same: Array | bool, both: bool
) -> tuple[Array, Array]:
    """Least distance of each row, (2, a), and of each column, (2, b), by kind of pair."""
    nothing = none_yet(d.dtype)

    def ends(x: Array) -> tuple[Array, Array]:
        down = jnp.min(x, axis=0) if both else jnp.full(x.shape[1], nothing, x.dtype)
        return jnp.min(x, axis=1), down

    def pure(kind: int) -> Any:
        def one(x: Array) -> tuple[Array, Array]:
            found = ends(x)
            empty = [jnp.full_like(part, nothing) for part in found]
            ordered = (found, empty) if kind == WITHIN else (empty, found)
            return tuple(jnp.stack(parts) for parts in zip(*ordered, strict=True))  # type: ignore[return-value]

        return one

    def mixed(x: Array) -> tuple[Array, Array]:
        found = [ends(_masked(x, rows, columns, same, kind)) for kind in (WITHIN, ACROSS)]
        return tuple(jnp.stack(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]

    # Padding is last, and PADDING is less than any class: a tile with some has rows[0] > rows[-1].
    whole = (rows[0] <= rows[-1]) & (columns[0] <= columns[-1]) & ~jnp.asarray(same)
    whole &= (rows[0] != PADDING) & (columns[0] != PADDING)
    apart = whole & ((rows[-1] < columns[0]) | (columns[-1] < rows[0]))
    one_class = whole & (rows[0] == columns[-1]) & (columns[0] == rows[-1])
    branch = jnp.where(apart, 1, jnp.where(one_class, 0, 2))
    return lax.switch(branch, (pure(WITHIN), pure(ACROSS), mixed), d)


def _keep(least: Least, found: Array, index: Array, tile: Array, side: int) -> Least:
    """Lower the least distances of tile `index` by what tile `tile` has; earlier ones win ties."""
    start = index * side
    distance, where = (lax.dynamic_slice_in_dim(x, start, side, axis=1) for x in least)
    closer = found < distance
    new = jnp.where(closer, found, distance), jnp.where(closer, tile, where)
    return Least(
        *(
            lax.dynamic_update_slice_in_dim(x, y, start, axis=1)
            for x, y in zip(least, new, strict=True)
        )
    )


@partial(jax.jit, static_argnames="side", donate_argnames=("least", "its"))
def search_rows(
    least: Least,
    its: Least | None,
    points: Points,
    others: Points | None,
    rows: tuple[Array, Array],
    columns: Array,
    side: int,
) -> tuple[Least, Least | None]:
    """Go through some rows of tiles.

    Args:
        least: What was found before.
        its: Likewise of the others; None if that is not wanted.
        points: Elements, a whole number of tiles.
        others: What they are compared with; None for each other.
        rows: First row of tiles, and the one after the last.
        columns: Number of tiles of the others.
        side: Side of a tile, static.
    """
    State = tuple[Least, Least | None]

    def row(i: Array, state: State) -> State:
        here = tile_of(points, i, side)

        def column(j: Array, state: State) -> State:
            least, its = state
            there = tile_of(points if others is None else others, j, side)
            d = distances(here.prepared, there.prepared, False)
            both = others is None or its is not None
            across, down = _least_of_tile(d, here.labels, there.labels, False, both)
            least = _keep(least, across, i, j, side)
            if others is None:
                return _keep(least, down, j, i, side), its
            return least, None if its is None else _keep(its, down, j, i, side)

        if others is not None:
            return lax.fori_loop(0, columns, column, state)
        least, its = lax.fori_loop(0, i, column, state)
        d = distances(here.prepared, here.prepared, True)
        own = _least_of_tile(d, here.labels, here.labels, True, False)[0]
        return _keep(least, own, i, i, side), its

    return lax.fori_loop(rows[0], rows[1], row, (least, its))


@partial(jax.jit, static_argnames="side")
def find_in_tiles(
    points: Points,
    others: Points,
    rows: Int[Array, "blocks b"],
    tiles: Int[Array, " blocks"],
    count: Array,
    kind: Array,
    same: Array,
    side: int,
) -> Int[Array, "blocks b"]:
    """Find which of the others in a tile is nearest to each of a block of elements; the first wins.

    Args:
        points: Elements.
        others: What they are compared with.
        rows: Elements by block.
        tiles: The tile that has the nearest ones, the same for a whole block.
        count: Number of blocks that are wanted.
        kind: `WITHIN` or `ACROSS`.
        same: Whether the others are the points.
        side: Side of a tile, static.

    Returns:
        Places among the others.
    """

    def block(b: Array, out: Array) -> Array:
        here = map_elements(lambda x: x[rows[b]], points)
        there = tile_of(others, tiles[b], side)
        d = distances(here.prepared, there.prepared, False)
        d = _masked(d, here.labels, there.labels, False, kind)
        place = tiles[b] * side + jnp.arange(side, dtype=jnp.int32)
        d = jnp.where(same & (place[None, :] == rows[b][:, None]), none_yet(d.dtype), d)
        return out.at[b].set(place[jnp.argmin(d, axis=1)])

    return lax.fori_loop(0, count, block, jnp.zeros(rows.shape, jnp.int32))
