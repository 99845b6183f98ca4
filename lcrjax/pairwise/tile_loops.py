"""Loops over tiles of the similarity matrix: Z w in bounded memory, and back again.

A symmetric tile is computed once and used for its rows and, transposed, for its columns. Weights
and sums lie in rows, (k, n): a CPU multiplies such tiles as they are.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from lcrjax.numerics.meshes import alike
from lcrjax.numerics.pytrees import map_elements
from lcrjax.similarity.base import TiledSimilarity


def tile_of(tree: Any, index: Array, side: int) -> Any:
    """Slice the elements of tile `index` out of arrays whose first axis counts elements."""
    return map_elements(lambda x: lax.dynamic_slice_in_dim(x, index * side, side), tree)


def tiles_of(counts: tuple[Array, Array], side: int) -> tuple[Array, Array]:
    """How many tiles hold so many elements and others."""
    return -(-counts[0] // side), -(-counts[1] // side)


def weight_tile(weights: Array, index: Array, side: int) -> Float[Array, "k side"]:
    """Slice the elements of tile `index` out of an array (k, n)."""
    return lax.dynamic_slice_in_dim(weights, index * side, side, axis=1)


def weigh(weights: Float[Array, "k b"], z: Float[Array, "a b"]) -> Float[Array, "k a"]:
    """`weights z.T`."""
    contracted = (((1,), (1,)), ((), ()))
    return lax.dot_general(weights, z, contracted, precision=lax.Precision.HIGHEST)


def _added(sums: Float[Array, "2 k a"], part: Float[Array, "k a"]) -> Float[Array, "2 k a"]:
    """Add to sums that keep what rounding drops; both are one buffer, updated in place."""
    high, low = sums
    total = high + part
    # Knuth's two-sum: what the sum rounds away, exactly, whichever is larger.
    kept = total - part
    lost = (high - kept) + (part - (total - kept))
    return jnp.stack([total, low + lost])


def zero_sums(k: int, n: int, weights: Array) -> Float[Array, "2 k n"]:
    """Sums of nothing yet, spread and in the dtype as the weights are."""
    return alike(jnp.zeros((2, k, n), weights.dtype), weights)


def add_at(
    sums: Float[Array, "2 k n"], index: Array, part: Float[Array, "k a"]
) -> Float[Array, "2 k n"]:
    """Add a tile's sums to those of its elements."""
    return add_at_place(sums, index * part.shape[1], part)


def add_at_place(
    sums: Float[Array, "2 k n"], start: Array, part: Float[Array, "k a"]
) -> Float[Array, "2 k n"]:
    """Add sums to those of the elements from a place on."""
    here = lax.dynamic_slice_in_dim(sums, start, part.shape[1], axis=2)
    return lax.dynamic_update_slice_in_dim(sums, _added(here, part), start, axis=2)


def product_in_tiles(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Array,
    counts: tuple[Array, Array],
    side: int,
) -> Float[Array, "k n"]:
    """Transposed Z w of the first `counts` points and others, which are None for the points."""
    tiles = tiles_of(counts, side)
    if others is None and similarity.symmetric:
        return symmetric_product(similarity, points, weights, tiles[0], side)
    columns = points if others is None else others
    return rectangular_product(similarity, points, columns, weights, tiles, side, others is None)


def _both_ways(
    similarity: TiledSimilarity,
    here: Any,
    own: Array,
    others: Any,
    weights: Array,
    side: int,
    itself: Array | None = None,
) -> Callable[[Array, tuple[Array, Array]], tuple[Array, Array]]:
    """A step along a row of tiles: what a tile adds to the row, and to its column.

    The tile of the row with `itself` adds to the row alone: that costs a product of zeros, and a
    tile of its own would cost a second compilation of all that it computes.
    """

    def column(j: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        across, down = state
        same = False if itself is None else j == itself
        z = similarity.tile(here, tile_of(others, j, side), same, weights.dtype)
        across = _added(across, weigh(weight_tile(weights, j, side), z))
        once = own if itself is None else jnp.where(same, 0, own)
        return across, add_at(down, j, jnp.matmul(once, z, precision=lax.Precision.HIGHEST))

    return column


def symmetric_product(
    similarity: TiledSimilarity, points: Any, weights: Array, tiles: Array, side: int
) -> Float[Array, "k n"]:
    """Transposed Z w of the first `tiles` tiles of points, for a symmetric similarity."""
    k, n = weights.shape

    def row(i: Array, sums: Array) -> Array:
        here, own = tile_of(points, i, side), weight_tile(weights, i, side)

        column = _both_ways(similarity, here, own, points, weights, side, itself=i)
        start = zero_sums(k, side, weights)
        across, sums = lax.fori_loop(0, i + 1, column, (start, sums))
        return add_at(add_at(sums, i, across[0]), i, across[1])

    return jnp.sum(lax.fori_loop(0, tiles, row, zero_sums(k, n, weights)), axis=0)


def rectangular_product(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Array,
    tiles: tuple[Array, Array],
    side: int,
    same: bool,
) -> Float[Array, "k n"]:
    """Transposed Z w of points and others; `same` if the others are the points."""
    n, k = len(jax.tree.leaves(points)[0]), len(weights)

    def row(i: Array, sums: Array) -> Array:
        here = tile_of(points, i, side)

        def column(j: Array, across: Array) -> Array:
            z = similarity.tile(here, tile_of(others, j, side), same & (i == j), weights.dtype)
            return _added(across, weigh(weight_tile(weights, j, side), z))

        start = zero_sums(k, side, weights)
        across = lax.fori_loop(0, tiles[1], column, start)
        return lax.dynamic_update_slice_in_dim(sums, across, i * side, axis=2)

    return jnp.sum(lax.fori_loop(0, tiles[0], row, zero_sums(k, n, weights)), axis=0)


def mutual_products(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Array,
    its_weights: Array,
    counts: tuple[Array, Array],
    side: int,
) -> tuple[Float[Array, "k n"], Float[Array, "k m"]]:
    """Transposed Z w of the first `counts` points and others, both ways, of a symmetric one."""
    tiles = tiles_of(counts, side)

    def row(i: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        here, own = tile_of(points, i, side), weight_tile(weights, i, side)

        column = _both_ways(similarity, here, own, others, its_weights, side)
        start = zero_sums(len(weights), side, weights)
        across, down = lax.fori_loop(0, tiles[1], column, (start, state[1]))
        return lax.dynamic_update_slice_in_dim(state[0], across, i * side, axis=2), down

    own, its = (zero_sums(len(w), w.shape[1], w) for w in (weights, its_weights))
    own, its = lax.fori_loop(0, tiles[0], row, (own, its))
    return jnp.sum(own, axis=0), jnp.sum(its, axis=0)
