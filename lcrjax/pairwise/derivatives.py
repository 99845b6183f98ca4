"""Derivatives of Z w, tile by tile: each tile is computed again, and none is kept."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from lcrjax.numerics.linear_maps import linear_map
from lcrjax.numerics.meshes import alike
from lcrjax.numerics.pytrees import is_shared
from lcrjax.pairwise.tile_loops import tile_of, tiles_of, weigh, weight_tile


def _varies(x: Any) -> bool:
    return not is_shared(x) and jnp.issubdtype(jnp.result_type(x), jnp.inexact)


def _varying(tree: Any) -> list[Array]:
    """The arrays of a tree that have derivatives."""
    leaves = jax.tree.leaves(tree, is_leaf=is_shared)
    return [jnp.asarray(x) for x in leaves if _varies(x)]


def _with(tree: Any, replaced: list[Array]) -> Any:
    """The tree, with others in their place."""
    leaves, shape = jax.tree.flatten(tree, is_leaf=is_shared)
    fresh = iter(replaced)
    return jax.tree.unflatten(shape, [next(fresh) if _varies(x) else x for x in leaves])


def product_derivative(side: int, primals: Any, tangents: Any) -> Array:
    """Change of `product_in_tiles`, by a map that has its transpose.

    Args:
        side: Side of a tile.
        primals: Similarity, points, others, weights and counts.
        tangents: As many, for what varies among them.
    """
    leaves, shape = jax.tree.flatten(primals)
    where = [_varies(x) for x in jax.tree.leaves(primals, is_leaf=is_shared)]
    found = jax.tree.leaves(tangents, is_leaf=is_shared)
    moved = [t for varies, t in zip(where, found, strict=True) if varies]

    def forward(*arrays: Array) -> list[Array]:
        given = jax.tree.unflatten(shape, arrays[: len(leaves)])
        return [_change(side, given, list(arrays[len(leaves) :]))]

    def backward(*arrays: Array) -> list[Array]:
        return _pulled_back(side, jax.tree.unflatten(shape, arrays[:-1]), arrays[-1])

    return linear_map(forward, backward, [jnp.asarray(x) for x in leaves], moved)[0]


class _Tiles:
    """Weighed tiles as functions of the arrays that vary: parameters, rows, columns, weights."""

    def __init__(self, side: int, given: Any) -> None:
        self.similarity, self.points, others, self.weights, counts = given
        self.side, self.same = side, others is None
        self.columns = self.points if others is None else others
        self.count = tiles_of(counts, side)

    def part(self, i: Array, j: Array) -> Any:
        """What tile (i, j) adds to row i."""
        row, column = tile_of(self.points, i, self.side), tile_of(self.columns, j, self.side)

        def weighed(theta: list[Array], x: list[Array], y: list[Array], w: Array) -> Array:
            here, same = _with(self.similarity, theta), (i == j) & self.same
            z = here.smooth_tile(_with(row, x), _with(column, y), same, self.weights.dtype)
            return weigh(w, z)

        weights = weight_tile(self.weights, j, self.side)
        return weighed, (_varying(self.similarity), _varying(row), _varying(column), weights)

    def apart(self, arrays: list[Array]) -> tuple[list[Array], list[Array], list[Array], Array]:
        """Tell parameters, points, columns and weights apart; the columns may be the points."""
        a = len(_varying(self.similarity))
        b = a + len(_varying(self.points))
        return arrays[:a], arrays[a:b], arrays[a:b] if self.same else arrays[b:-1], arrays[-1]


def _change(side: int, given: Any, moved: list[Array]) -> Array:
    tiles = _Tiles(side, given)
    theta, row, column, weights = tiles.apart(moved)

    def down(i: Array, sums: Array) -> Array:
        def across(j: Array, sums: Array) -> Array:
            weighed, here = tiles.part(i, j)
            own, its = tile_of(row, i, side), tile_of(column, j, side)
            along = (theta, own, its, weight_tile(weights, j, side))
            return sums + jax.jvp(weighed, here, along)[1]

        start = alike(jnp.zeros((len(tiles.weights), side), tiles.weights.dtype), tiles.weights)
        found = lax.fori_loop(0, tiles.count[1], across, start)
        return lax.dynamic_update_slice_in_dim(sums, found, i * side, axis=1)

    n = len(jax.tree.leaves(tiles.points)[0])
    start = jnp.zeros((len(tiles.weights), n), tiles.weights.dtype)
    return lax.fori_loop(0, tiles.count[0], down, alike(start, tiles.weights))


def _pulled_back(side: int, given: Any, cotangent: Array) -> list[Array]:
    tiles = _Tiles(side, given)

    def zeros(tree: Any) -> list[Array]:
        return [jnp.zeros_like(x) for x in _varying(tree)]

    def put(whole: list[Array], index: Array, parts: list[Array], axis: int = 0) -> list[Array]:
        start = index * side
        return [
            lax.dynamic_update_slice_in_dim(
                x, lax.dynamic_slice_in_dim(x, start, side, axis) + y, start, axis
            )
            for x, y in zip(whole, parts, strict=True)
        ]

    def step(t: Array, sums: tuple[list[Array], ...]) -> tuple[list[Array], ...]:
        i, j = t // tiles.count[1], t % tiles.count[1]
        weighed, here = tiles.part(i, j)
        _, pull = jax.vjp(weighed, *here)
        by_theta, by_row, by_column, by_weight = pull(weight_tile(cotangent, i, side))
        theta, row, column, weight = sums
        theta = [x + y for x, y in zip(theta, by_theta, strict=True)]
        return (
            theta,
            put(row, i, by_row),
            put(column, j, by_column),
            put(weight, j, [by_weight], axis=1),
        )

    start = tuple(map(zeros, (tiles.similarity, tiles.points, tiles.columns, tiles.weights)))
    total = tiles.count[0] * tiles.count[1]
    theta, row, column, weight = lax.fori_loop(0, total, step, alike(start, tiles.weights))
    if tiles.same:
        row, column = [x + y for x, y in zip(row, column, strict=True)], []
    return [*theta, *row, *column, *weight]
