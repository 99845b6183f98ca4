"""Derivatives of Z w, tile by tile: each tile is computed again, and none is kept."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from lcrjax.numerics.meshes import alike
from lcrjax.numerics.pytrees import is_shared
from lcrjax.pairwise.tile_loops import tile_of, tiles_of, weigh, weight_tile


def _zero_tangent(x: Array) -> Any:
    if jnp.issubdtype(x.dtype, jnp.inexact):
        return jnp.zeros_like(x)
    return np.zeros(x.shape, jax.dtypes.float0)


def _varies(x: Any) -> bool:
    return not is_shared(x) and jnp.issubdtype(jnp.result_type(x), jnp.inexact)


def product_backward(side: int, saved: Any, cotangent: Array) -> Any:
    """Recompute each tile and pull the cotangent back through it; no tile is kept."""
    similarity, points, others, weights, counts = saved
    tiles = tiles_of(counts, side)
    columns = points if others is None else others

    def inexact(tree: Any) -> list[Array]:
        return [x for x in jax.tree.leaves(tree, is_leaf=is_shared) if _varies(x)]

    def with_inexact(tree: Any, replaced: list[Array]) -> Any:
        leaves, shape = jax.tree.flatten(tree, is_leaf=is_shared)
        fresh = iter(replaced)
        return jax.tree.unflatten(shape, [next(fresh) if _varies(x) else x for x in leaves])

    parameters = [jnp.asarray(x) for x in inexact(similarity)]

    def zeros(arrays: list[Array]) -> list[Array]:
        return [jnp.zeros_like(x) for x in arrays]

    def step(t: Array, sums: tuple[list[Array], ...]) -> tuple[list[Array], ...]:
        i, j = t // tiles[1], t % tiles[1]
        row, column = tile_of(points, i, side), tile_of(columns, j, side)

        def part(theta: list[Array], x: list[Array], y: list[Array], w: Array) -> Array:
            here = with_inexact(similarity, theta)
            same = (i == j) & (others is None)
            z = here.smooth_tile(with_inexact(row, x), with_inexact(column, y), same, weights.dtype)
            return weigh(w, z)

        _, pull = jax.vjp(
            part, parameters, inexact(row), inexact(column), weight_tile(weights, j, side)
        )
        d_theta, d_row, d_column, d_weight = pull(weight_tile(cotangent, i, side))

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
    start = alike(start, weights)
    theta, row, column, weight = lax.fori_loop(0, tiles[0] * tiles[1], step, start)
    if others is None:
        row, column = [x + y for x, y in zip(row, column, strict=True)], None

    def tangent(tree: Any, derivative: list[Array] | None) -> Any:
        if tree is None:
            return None
        leaves, shape = jax.tree.flatten(tree, is_leaf=is_shared)
        fresh = iter(derivative or [])

        def one(x: Any) -> Any:
            if _varies(x):
                return next(fresh)
            return jax.tree.map(lambda part: _zero_tangent(jnp.asarray(part)), x)

        return jax.tree.unflatten(shape, [one(x) for x in leaves])

    return (
        tangent(similarity, theta),
        tangent(points, row),
        tangent(others, column),
        weight[0],
        tuple(_zero_tangent(x) for x in counts),
    )
