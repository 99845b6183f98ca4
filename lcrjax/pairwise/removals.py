r"""What removing each element does to the power means of all others: sums over every pair.

Without element i the ordinariness of k falls from $T_k = \sum_l Z_{kl}$ to $T_k - Z_{ki}$. Of that
a power mean needs a power or log, for every pair: no product with Z says it. Tiles are those of
`Z w`.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Bool, Float, Int

from lcrjax.native.interrupts import ready
from lcrjax.numerics.arrays import namespace
from lcrjax.numerics.groupings import AnyArray
from lcrjax.numerics.pytrees import map_elements
from lcrjax.pairwise.tile_loops import add_at, tile_of, zero_sums
from lcrjax.pairwise.tiling import pad_elements, padded_tiles, tile_side
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import Identity, Precomputed, Similarity
from lcrjax.similarity.base import KnowsElements, TiledSimilarity
from lcrjax.similarity.sparse import is_sparse

_NUMBERS_AT_ONCE = 2**22  # similarities of a block in float64


class Items(NamedTuple):
    """What elements bring into a power mean of the dataset."""

    total: Float[AnyArray, " n"]  # similarities to all, added up
    own: Float[AnyArray, " n"]  # to the own class
    label: Int[AnyArray, " n"]
    shrinking: Float[AnyArray, " n"]  # log of the part of its class that one removal leaves
    weight: Float[AnyArray, " n"]  # power of the item; zero for what only fills a tile


def log_changes(
    letter: str, z: Float[AnyArray, "a b"], items: Items, labels: Int[AnyArray, " b"]
) -> Float[AnyArray, "a b"]:
    """By how much the log of each item rises where each of some others is removed.

    The item is one over the similarity to the own class ("A") or to all ("G"), in counts, or the
    latter over the former as a share of the class ("R").
    """
    xp = namespace(z)
    of_all = xp.log1p(-z / items.total[:, None]) if letter != "A" else 0
    if letter == "G":
        return -of_all
    same = items.label[:, None] == labels[None, :]
    of_own = xp.log1p(-z / items.own[:, None])
    if letter == "A":
        return xp.where(same, -of_own, 0)
    return of_all + xp.where(same, items.shrinking[:, None] - of_own, 0)


def _rises(
    letter: str,
    order: Any,
    z: Float[AnyArray, "a b"],
    items: Items,
    labels: Int[AnyArray, " b"],
    itself: Bool[AnyArray, "a b"],
) -> Float[AnyArray, " b"]:
    """Sums over the items of how much their powers rise, each over the order."""
    xp = namespace(z)
    change, flat = log_changes(letter, z, items, labels), abs(order) < 1e-20
    rise = xp.where(flat, change, xp.expm1(order * change) / xp.where(flat, 1, order))
    counts = (items.weight > 0)[:, None] & ~itself
    return xp.sum(xp.where(counts, items.weight[:, None] * rise, 0), axis=0)


@np.errstate(all="ignore")
def power_rises(
    letter: str, order: float, similarity: Similarity, elements: Any, items: Items, dtype: Any
) -> Float[np.ndarray, " n"]:
    r"""For each element i, $\sum_{k \ne i} a_k (\exp(r \ell_{ki}) - 1) / r$.

    Args:
        letter: What items are, see `log_changes`, whose result is $\ell$.
        order: r, a real number; of zero the sum is $\sum_k a_k \ell_{ki}$.
        similarity: The similarity that made the elements canonical, if it is computed in tiles.
        elements: n elements.
        items: Those of the elements, on the host, in float64.
        dtype: Float dtype of similarities computed in tiles.

    Returns:
        float64.
    """
    n = len(items.total)
    if isinstance(similarity, TiledSimilarity):
        return _in_tiles(letter, order, similarity, elements, items, dtype)
    found, place = np.zeros(n), np.arange(n)
    for rows, columns, z in similarity_blocks(similarity, elements, n):
        here, labels = Items(*(x[rows] for x in items)), items.label[columns]
        itself = place[rows, None] == place[None, columns]
        found[columns] += _rises(letter, order, z, here, labels, itself)
    return found


def similarity_blocks(
    similarity: Similarity, elements: Any, n: int
) -> Iterator[tuple[slice, slice, Float[np.ndarray, "a b"]]]:
    """Z in float64 in blocks, with the places of their rows and columns, where no tile is known."""
    step, start = max(1, _NUMBERS_AT_ONCE // n), 0
    if isinstance(similarity, Precomputed):
        for block in similarity.blocks(n):
            for first in range(0, block.shape[0], step):
                part = block[first : first + step]
                part = part.toarray() if is_sparse(part) else np.asarray(part, np.float64)
                yield slice(start, start := start + len(part)), slice(None), part
        return
    alone = isinstance(similarity, Identity | KnowsElements)
    widest = jax.dtypes.canonicalize_dtype(np.float64)
    for first in range(0, n, step):
        columns = slice(first, min(first + step, n))
        if alone:
            z = zp(similarity, elements, jnp.eye(n, dtype=widest)[:, columns])
        else:
            others = elements[columns]
            z = zp(similarity, elements, jnp.eye(len(others), dtype=widest), others)
        yield slice(None), columns, np.asarray(z, np.float64)


def tiled_rows(
    similarity: TiledSimilarity, elements: Any, places: Int[np.ndarray, " c"], dtype: Any
) -> Iterator[tuple[Int[np.ndarray, " a"], Float[np.ndarray, "a n"]]]:
    """Rows of Z at some places, in float64, a block after another."""
    n = len(jax.tree.leaves(elements)[0])
    step = min(len(places), max(1, _NUMBERS_AT_ONCE // n))
    for first in range(0, len(places), step):
        now = places[first : first + step]
        filled = jnp.asarray(np.pad(now, (0, step - len(now)), mode="edge"), jnp.int32)
        z = np.asarray(_rows(similarity, elements, filled, dtype), np.float64)
        yield now, z[: len(now)]


@partial(jax.jit, static_argnames="dtype")
def _rows(similarity: TiledSimilarity, elements: Any, places: Array, dtype: Any) -> Array:
    points, _ = similarity.prepare_both(elements, None)
    return similarity.tile(map_elements(lambda x: x[places], points), points, False, dtype)


def _in_tiles(
    letter: str, order: float, similarity: TiledSimilarity, elements: Any, items: Items, dtype: Any
) -> Float[np.ndarray, " n"]:
    n = len(items.total)
    side = tile_side(n, of="removals")
    by_class = np.argsort(items.label, kind="stable")
    size = padded_tiles(n, side) * side
    filling = Items(1.0, 1.0, -1, 0.0, 0.0)  # type: ignore[arg-type]
    padded = [
        np.pad(x[by_class], (0, size - n), constant_values=y)
        for x, y in zip(items, filling, strict=True)
    ]
    here = Items(*(jnp.asarray(x, np.int32 if x.dtype.kind == "i" else dtype) for x in padded))
    tiles = _tiles(padded[2], side, -(-n // side), letter != "A", similarity.symmetric)
    some = np.pad(tiles, [(0, (1 << (len(tiles) - 1).bit_length()) - len(tiles)), (0, 0)])
    sorted_elements = jax.tree.map(lambda x: x[by_class], elements)
    found = np.empty(n)
    found[by_class] = ready(
        _loop(
            similarity,
            pad_elements(sorted_elements, size),
            here,
            jnp.asarray(some),
            jnp.int32(len(tiles)),
            jnp.asarray(order, dtype),
            side,
            letter,
        )
    )[:n]
    return found


def _tiles(
    labels: Int[np.ndarray, " n"], side: int, count: int, across: bool, symmetric: bool
) -> Int[np.ndarray, "t 2"]:
    """Rows and columns of the tiles that hold pairs that count, of elements sorted by class."""
    # What fills the last tile is in no class.
    parts = [part[part >= 0] for part in labels[: count * side].reshape(count, side)]
    first, last = (np.array([f(part) for part in parts]) for f in (np.min, np.max))
    meet = (first[:, None] <= last[None, :]) & (first[None, :] <= last[:, None]) | across
    return np.argwhere(np.tril(meet) if symmetric else meet).astype(np.int32)


@partial(jax.jit, static_argnames=("side", "letter"))
def _loop(
    similarity: TiledSimilarity,
    elements: Any,
    items: Items,
    tiles: Int[Array, "t 2"],
    count: Array,
    order: Array,
    side: int,
    letter: str,
) -> Float[Array, " n"]:
    points, _ = similarity.prepare_both(elements, None)

    def step(t: Array, sums: Array) -> Array:
        i, j = tiles[t, 0], tiles[t, 1]
        rows, columns = tile_of(items, i, side), tile_of(items, j, side)
        dtype = items.weight.dtype
        z = similarity.tile(tile_of(points, i, side), tile_of(points, j, side), i == j, dtype)
        itself = jnp.eye(side, dtype=bool) & (i == j)
        down = _rises(letter, order, z, rows, columns.label, itself)
        sums = add_at(sums, j, down[None])
        if not similarity.symmetric:
            return sums
        across = _rises(letter, order, z.T, columns, rows.label, itself)
        return add_at(sums, i, jnp.where(i == j, 0, across)[None])

    sums = zero_sums(1, len(items.weight), items.weight)
    return jnp.sum(lax.fori_loop(0, count, step, sums), axis=0)[0]
