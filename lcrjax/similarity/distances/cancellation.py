"""Pairs too close for matrix products: their distances, and derivatives, from differences.

|x|² + |y|² - 2 x·y loses the digits of a small distance, and so does its derivative, in which
products of x and of y cancel. Pairs are few as a rule and are gathered; a tile full of them is gone
through row by row. Both loops follow one another, and either has no rounds for a tile that does not
need it.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float

from lcrjax.numerics.linear_maps import linear_map
from lcrjax.similarity.distances.squares import (
    Floats,
    diagonal,
    distance_noise,
    float_distances,
)

_AT_ONCE = 1024  # pairs gathered
_MOST_ROUNDS = 8  # of them, before a tile counts as full
# A matrix product keeps the direction x - y of pairs whose squared distance is that far from noise.
_BLURRED = 1e-2
_UNEVEN = {"float32": 5e-5, "float64": 1e-11}  # part of a squared distance that rounding may take


def _loops(
    close: Bool[Array, "a b"],
    start: Any,
    pairs: Callable[[Any, Array, Array, Array], Any],
    row: Callable[[Any, Array], Any],
) -> Any:
    """Carry a state through all close pairs: `pairs(state, i, j, real)`, or `row(state, i)`."""
    a, b = close.shape
    at_once = min(_AT_ONCE, a * b)
    count = jnp.sum(close)
    few = count <= _MOST_ROUNDS * at_once

    def gathered(carry: tuple[Any, Array]) -> tuple[Any, Array]:
        state, left = carry
        # `nonzero` takes ten times as long, to run and to compile.
        found, where = lax.top_k(left.astype(jnp.float32), at_once)
        return pairs(state, where // b, where % b, found > 0), left.at[where].set(False)

    carry = start, close.ravel() & few
    state, _ = lax.while_loop(lambda carry: jnp.any(carry[1]), gathered, carry)
    return lax.fori_loop(0, jnp.where(few, 0, a), lambda i, state: row(state, i), state)


def recompute(
    values: Float[Array, "a b"],
    close: Bool[Array, "a b"],
    rows: Floats,
    columns: Floats,
    function: Callable[[Array], Array],
) -> Float[Array, "a b"]:
    """Replace the values of close pairs by a function of the sums of their squared differences."""
    x, y = rows.vectors, columns.vectors

    def pairs(out: Array, i: Array, j: Array, real: Array) -> Array:
        exact = function(jnp.sum((x[i] - y[j]) ** 2, axis=1))
        return out.at[jnp.where(real, i, len(x)), j].set(exact, mode="drop")

    def row(out: Array, i: Array) -> Array:
        exact = function(jnp.sum((x[i][None, :] - y) ** 2, axis=1))
        return out.at[i].set(jnp.where(close[i], exact, out[i]))

    return _loops(close, values, pairs, row)


def even_distances(rows: Floats, columns: Floats, same: Array | bool) -> Float[Array, "a b"]:
    """Squared distances to the same number of digits, far and near: those of copies are zero."""
    squared = float_distances(rows, columns, same)
    noise = distance_noise(rows, columns)
    close = (noise > _UNEVEN[str(squared.dtype)] * squared) & ~diagonal(squared.shape, same)
    return recompute(squared, close, rows, columns, lambda exact: exact)


@jax.custom_jvp
def squared_distances(
    rows: Floats, columns: Floats, squared: Float[Array, "a b"], close: Bool[Array, "a b"]
) -> Float[Array, "a b"]:
    """Squared distances that can be differentiated, with respect to the vectors.

    Args:
        rows: Slice of the prepared elements.
        columns: Slice of the prepared others.
        squared: What matrix products give.
        close: Pairs whose distances, and derivatives where it matters, come from differences.
    """
    return recompute(squared, close, rows, columns, lambda exact: exact)


@squared_distances.defjvp
def _derivative(primals: Any, tangents: Any) -> Any:
    rows, columns, _, close = primals
    exact = squared_distances(*primals)
    shape = jax.tree.structure((rows, columns))

    def forward(exact: Array, close: Array, *arrays: Array) -> list[Array]:
        rows, columns = jax.tree.unflatten(shape, arrays[:-2])
        return [_change(rows, columns, exact, close, *arrays[-2:])]

    def backward(exact: Array, close: Array, *arrays: Array) -> list[Array]:
        rows, columns = jax.tree.unflatten(shape, arrays[:-1])
        return list(_pulled_back(rows, columns, exact, close, arrays[-1]))

    fixed = [exact, close, *jax.tree.leaves((rows, columns))]
    moved = [tangents[0].vectors, tangents[1].vectors]
    return exact, linear_map(forward, backward, fixed, moved)[0]


def _blurred(rows: Floats, columns: Floats, squared: Array, close: Array) -> Bool[Array, "a b"]:
    """Pairs whose directions matrix products do not keep."""
    return close & (distance_noise(rows, columns) > _BLURRED * squared)


def _product(weights: Array, vectors: Array) -> Array:
    return jnp.matmul(weights, vectors, precision=lax.Precision.HIGHEST)


def _change(
    rows: Floats, columns: Floats, squared: Array, close: Array, by_x: Array, by_y: Array
) -> Float[Array, "a b"]:
    """Change of squared distances as vectors move: 2 (x - y)·(dx - dy)."""
    x, y = rows.centred, columns.centred
    own, its = jnp.sum(x * by_x, axis=1), jnp.sum(y * by_y, axis=1)
    moved = own[:, None] + its[None, :] - _product(by_x, y.T) - _product(x, by_y.T)
    x, y = rows.vectors, columns.vectors

    def pairs(out: Array, i: Array, j: Array, real: Array) -> Array:
        exact = jnp.sum((x[i] - y[j]) * (by_x[i] - by_y[j]), axis=1)
        return out.at[jnp.where(real, i, len(x)), j].set(exact, mode="drop")

    blurred = _blurred(rows, columns, squared, close)

    def row(out: Array, i: Array) -> Array:
        exact = jnp.sum((x[i][None, :] - y) * (by_x[i][None, :] - by_y), axis=1)
        return out.at[i].set(jnp.where(blurred[i], exact, out[i]))

    return jnp.where(squared > 0, 2 * _loops(blurred, moved, pairs, row), 0)


def _pulled_back(
    rows: Floats, columns: Floats, squared: Array, close: Array, slope: Float[Array, "a b"]
) -> tuple[Array, Array]:
    """Cotangents of the vectors: `_change` transposed."""
    slope = jnp.where(squared > 0, 2 * slope, 0)
    blurred = _blurred(rows, columns, squared, close)
    clear = jnp.where(blurred, 0, slope)
    x, y = rows.centred, columns.centred
    by_x = jnp.sum(clear, axis=1)[:, None] * x - _product(clear, y)
    by_y = jnp.sum(clear, axis=0)[:, None] * y - _product(clear.T, x)
    x, y = rows.vectors, columns.vectors

    def pairs(sums: tuple[Array, Array], i: Array, j: Array, real: Array) -> tuple[Array, Array]:
        part = jnp.where(real, slope[i, j], 0)[:, None] * (x[i] - y[j])
        return sums[0].at[i].add(part), sums[1].at[j].add(-part)

    def row(sums: tuple[Array, Array], i: Array) -> tuple[Array, Array]:
        part = jnp.where(blurred[i], slope[i], 0)[:, None] * (x[i][None, :] - y)
        return sums[0].at[i].add(jnp.sum(part, axis=0)), sums[1] - part

    return _loops(blurred, (by_x, by_y), pairs, row)
