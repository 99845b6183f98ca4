"""Ordinariness without the similarity matrix: Z w in tiles, in bounded memory.

Elements are padded with elements of no weight to a whole number of tiles, in few size classes, so
that datasets of about one size share a compilation. A symmetric tile is computed once and used
for its rows and, transposed, for its columns.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from lcrjax.double_word import Pair, add, pair
from lcrjax.similarity.base import TiledSimilarity

_LARGEST_TILE = {"cpu": 1024, "gpu": 4096, "tpu": 2048}
_SMALLEST_TILE = 32


def tile_side(n: int, tile: int | None = None) -> int:
    """Choose the side of a tile for n elements: a power of two, on one side at most n or so.

    Args:
        n: Number of elements.
        tile: The largest side wanted; None chooses by backend.

    Raises:
        ValueError: If `tile` is not positive.
    """
    if tile is not None and tile < 1:
        raise ValueError(f"tile is {tile}: give a positive number of elements")
    largest = tile or _LARGEST_TILE.get(jax.default_backend(), 2048)
    return min(largest, max(_SMALLEST_TILE, 1 << max(0, n - 1).bit_length()))


def padded_tiles(n: int, side: int) -> int:
    """Round the number of tiles of n elements up to a size class (1 to 16, 18, 20, 22, and so on).

    At most an eighth of the memory of the elements is padding, none of the time.
    """
    tiles = max(1, -(-n // side))
    step = 1 << max(0, tiles.bit_length() - 4)
    return -(-tiles // step) * step


def _pad(tree: Any, size: int) -> Any:
    def one(x: Array) -> Array:
        return jnp.pad(x, [(0, size - len(x))] + [(0, 0)] * (x.ndim - 1))

    return jax.tree.map(one, tree)


def _tile(tree: Any, index: Array, side: int) -> Any:
    return jax.tree.map(lambda x: lax.dynamic_slice_in_dim(x, index * side, side), tree)


def _weight_tile(weights: Array, index: Array, side: int) -> Float[Array, "k side"]:
    return lax.dynamic_slice_in_dim(weights, index * side, side, axis=1)


def _weigh(weights: Float[Array, "k b"], z: Float[Array, "a b"]) -> Float[Array, "k a"]:
    """`weights z.T`. Weights and sums lie in rows: a CPU multiplies such tiles as they are."""
    contracted = (((1,), (1,)), ((), ()))
    return lax.dot_general(weights, z, contracted, precision=lax.Precision.HIGHEST)


def _added(sums: Float[Array, "2 k a"], part: Float[Array, "k a"]) -> Float[Array, "2 k a"]:
    """Add to sums that keep what rounding drops; hi and lo are one buffer, updated in place."""
    return jnp.stack([*add(Pair(sums[0], sums[1]), pair(part))])


def _add_at(
    sums: Float[Array, "2 k n"], index: Array, part: Float[Array, "k a"]
) -> Float[Array, "2 k n"]:
    side = part.shape[1]
    here = lax.dynamic_slice_in_dim(sums, index * side, side, axis=2)
    return lax.dynamic_update_slice_in_dim(sums, _added(here, part), index * side, axis=2)


def _symmetric(
    similarity: TiledSimilarity, points: Any, weights: Array, tiles: Array, side: int
) -> Array:
    k, n = weights.shape

    def row(i: Array, sums: Array) -> Array:
        here, own = _tile(points, i, side), _weight_tile(weights, i, side)

        def column(j: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
            across, down = state
            z = similarity.block(here, _tile(points, j, side), False, weights.dtype)
            across = _added(across, _weigh(_weight_tile(weights, j, side), z))
            return across, _add_at(down, j, jnp.matmul(own, z, precision=lax.Precision.HIGHEST))

        start = jnp.zeros((2, k, side), weights.dtype)
        across, sums = lax.fori_loop(0, i, column, (start, sums))
        across = _added(across, _weigh(own, similarity.block(here, here, True, weights.dtype)))
        return _add_at(_add_at(sums, i, across[0]), i, across[1])

    return jnp.sum(lax.fori_loop(0, tiles, row, jnp.zeros((2, k, n), weights.dtype)), axis=0)


def _rectangular(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Array,
    tiles: tuple[Array, Array],
    side: int,
    same: bool,
) -> Array:
    n, k = len(jax.tree.leaves(points)[0]), len(weights)

    def row(i: Array, sums: Array) -> Array:
        here = _tile(points, i, side)

        def column(j: Array, across: Array) -> Array:
            z = similarity.block(here, _tile(others, j, side), same & (i == j), weights.dtype)
            return _added(across, _weigh(_weight_tile(weights, j, side), z))

        start = jnp.zeros((2, k, side), weights.dtype)
        across = lax.fori_loop(0, tiles[1], column, start)
        return lax.dynamic_update_slice_in_dim(sums, across, i * side, axis=2)

    return jnp.sum(lax.fori_loop(0, tiles[0], row, jnp.zeros((2, k, n), weights.dtype)), axis=0)


def _zero_tangent(x: Array) -> Any:
    if jnp.issubdtype(x.dtype, jnp.inexact):
        return jnp.zeros_like(x)
    return np.zeros(x.shape, jax.dtypes.float0)


@partial(jax.custom_vjp, nondiff_argnums=(5,))
def _product(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Array,
    tiles: tuple[Array, Array],
    side: int,
) -> Array:
    """Transposed Z w of padded points, (k, n); `others` None for the points themselves."""
    if others is None and similarity.symmetric:
        return _symmetric(similarity, points, weights, tiles[0], side)
    columns = points if others is None else others
    return _rectangular(similarity, points, columns, weights, tiles, side, others is None)


def _product_forward(similarity, points, others, weights, tiles, side):  # type: ignore[no-untyped-def]
    out = _product(similarity, points, others, weights, tiles, side)
    return out, (similarity, points, others, weights, tiles)


def _product_backward(side, saved, cotangent):  # type: ignore[no-untyped-def]
    """Recompute each tile and pull the cotangent back through it; no tile is kept."""
    similarity, points, others, weights, tiles = saved
    columns = points if others is None else others

    def inexact(tree: Any) -> list[Array]:
        return [x for x in jax.tree.leaves(tree) if jnp.issubdtype(jnp.result_type(x), jnp.inexact)]

    def with_inexact(tree: Any, replaced: list[Array]) -> Any:
        leaves, shape = jax.tree.flatten(tree)
        fresh = iter(replaced)
        return jax.tree.unflatten(
            shape,
            [next(fresh) if jnp.issubdtype(jnp.result_type(x), jnp.inexact) else x for x in leaves],
        )

    parameters = [jnp.asarray(x) for x in inexact(similarity)]

    def zeros(arrays: list[Array]) -> list[Array]:
        return [jnp.zeros_like(x) for x in arrays]

    def step(t: Array, sums: tuple[list[Array], ...]) -> tuple[list[Array], ...]:
        i, j = t // tiles[1], t % tiles[1]
        row, column = _tile(points, i, side), _tile(columns, j, side)

        def part(theta: list[Array], x: list[Array], y: list[Array], w: Array) -> Array:
            here = with_inexact(similarity, theta)
            same = (i == j) & (others is None)
            z = here.smooth_block(
                with_inexact(row, x), with_inexact(column, y), same, weights.dtype
            )
            return _weigh(w, z)

        _, pull = jax.vjp(
            part, parameters, inexact(row), inexact(column), _weight_tile(weights, j, side)
        )
        d_theta, d_row, d_column, d_weight = pull(_weight_tile(cotangent, i, side))

        def put(whole: list[Array], index: Array, parts: list[Array], axis: int = 0) -> list[Array]:
            start = index * side
            return [
                lax.dynamic_update_slice_in_dim(
                    x, lax.dynamic_slice_in_dim(x, start, side, axis) + y, start, axis
                )
                for x, y in zip(whole, parts, strict=True)
            ]

        theta_sum, row_sum, column_sum, weight_sum = sums
        theta_sum = [x + y for x, y in zip(theta_sum, d_theta, strict=True)]
        return (
            theta_sum,
            put(row_sum, i, d_row),
            put(column_sum, j, d_column),
            put(weight_sum, j, [d_weight], axis=1),
        )

    start = (
        zeros(parameters),
        zeros(inexact(points)),
        zeros(inexact(columns)),
        zeros([weights]),
    )
    theta, row, column, weight = lax.fori_loop(0, tiles[0] * tiles[1], step, start)
    if others is None:
        row, column = [x + y for x, y in zip(row, column, strict=True)], None

    def tangent(tree: Any, derivative: list[Array] | None) -> Any:
        if tree is None:
            return None
        blank = jax.tree.map(lambda x: _zero_tangent(jnp.asarray(x)), tree)
        leaves, shape = jax.tree.flatten(tree)
        fresh = iter(derivative or [])
        filled = [
            next(fresh) if jnp.issubdtype(jnp.result_type(x), jnp.inexact) else b
            for x, b in zip(leaves, jax.tree.leaves(blank), strict=True)
        ]
        return jax.tree.unflatten(shape, filled)

    return (
        tangent(similarity, theta),
        tangent(points, row),
        tangent(others, column),
        weight[0],
        tuple(_zero_tangent(x) for x in tiles),
    )


_product.defvjp(_product_forward, _product_backward)


def padded_product(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Float[Array, "k m"],
    side: int,
) -> Float[Array, "k n"]:
    """Transposed Z w of prepared points, of any number: a pure kernel.

    Args:
        similarity: The similarity that prepared the points.
        points: n prepared elements.
        others: m prepared elements, or None for `points`.
        weights: One row for each distribution.
        side: Side of a tile, static.

    Returns:
        In the dtype of the weights.
    """
    n, m = len(jax.tree.leaves(points)[0]), weights.shape[1]
    counts = (jnp.int32(n), jnp.int32(m))
    sizes = [-(-count // side) * side for count in (n, m)]
    others = None if others is None else _pad(others, sizes[1])
    tiles = tuple(-(-count // side) for count in counts)
    weights = jnp.pad(weights, [(0, 0), (0, sizes[1] - m)])
    return _product(similarity, _pad(points, sizes[0]), others, weights, tiles, side)[:, :n]


@partial(jax.jit, static_argnums=4)
def _jitted_product(
    similarity: TiledSimilarity,
    elements: Array,
    others: Array | None,
    weights: Array,
    side: int,
    counts: tuple[Array, Array],
) -> Array:
    points, columns = similarity.prepare(elements, others)
    tiles = tuple(-(-count // side) for count in counts)
    return _product(similarity, points, columns, weights, tiles, side)


def tiled_ordinariness(
    similarity: TiledSimilarity,
    elements: Any,
    weights: Float[Array, "m k"],
    others: Any = None,
    tile: int | None = None,
) -> Float[Array, "n k"]:
    """Compute Z w in tiles; see `TiledSimilarity.ordinariness`."""
    similarity, elements, others = similarity.canonical(elements, others)
    n = len(elements)
    m = n if others is None else len(others)
    side = tile_side(max(n, m), tile)
    rows, columns = (padded_tiles(count, side) * side for count in (n, m))
    product = _jitted_product(
        similarity,
        _padded(elements, rows),
        None if others is None else _padded(others, columns),
        jnp.pad(weights, [(0, columns - m), (0, 0)]).T,
        side,
        (jnp.int32(n), jnp.int32(m)),
    )
    return product[:, :n].T


def _padded(array: Any, size: int) -> Any:
    """Pad on the host what lies there, so that one compilation serves a whole size class."""
    if len(array) == size:
        return array
    gap = [(0, size - len(array))] + [(0, 0)] * (array.ndim - 1)
    return (jnp if isinstance(array, jax.Array) else np).pad(array, gap, mode="edge")
