"""What the kernel for NVIDIA GPUs takes, and what it gives: weighted sums of similarities of bytes.

Elements are ordered by distribution and padded to whole tiles, their weights divided by a power of
two. Sums are integers, whose order is left to chance and changes nothing.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, Int8, UInt32

from lcrjax.native import gpu
from lcrjax.numerics.meshes import alike
from lcrjax.similarity.distances.byte_products import signed
from lcrjax.similarity.distances.squares import Bytes

# As in src/gpu/problem.h.
ROWS, COLUMNS, DEPTH = 128, 256, 64
_STEP = 32  # bytes of one product
_UNIT = 61  # a sum is an integer in units of 2^-61 of all weights


class Side(NamedTuple):
    """Elements of one side, as the kernel takes them.

    Attributes:
        rows: Signed bytes, in whole tiles.
        squares: Squared lengths.
        weights: One row for each distribution, together less than 1.
        exponent: They are divided by two to this power, one for each distribution.
        order: Which element each row is; those behind it are padding.
        size: How many of the elements are true.
    """

    rows: Int8[Array, "tiles depth"]
    squares: Int[Array, " tiles"]
    weights: Float[Array, "k tiles"]
    exponent: Int[Array, "k 1"]
    order: Int[Array, " n"]
    size: Array


def side(points: Bytes, weights: Float[Array, "k n"], count: Array) -> Side:
    """Order, scale and pad the elements of one side."""
    n, d = points.pixels.shape
    exponent = jnp.frexp(jnp.sum(jnp.abs(weights), axis=1))[1][:, None]
    order = _by_distribution(weights, count)
    more = -n % COLUMNS
    return Side(
        jnp.pad(signed(points.pixels[order]), [(0, more), (0, -d % DEPTH)]),
        jnp.pad(points.shifted[order, 0] + 128**2 * d, (0, more)),
        jnp.pad(jnp.ldexp(weights, -exponent)[:, order], [(0, 0), (0, more)]),
        exponent,
        order,
        count,
    )


def unweighted(points: Bytes, k: int, count: Array) -> Side:
    """A side whose weights nobody asks for, of so many distributions."""
    return side(points, jnp.zeros((k, len(points.pixels)), jnp.float32), count)


def sums_of_one(rate: Array, dimension: int, own: Side) -> Float[Array, "k n"]:
    """Transposed Z w of elements with themselves, each pair computed once."""
    return _in_order(_called(rate, dimension, own, own, symmetric=True), own, own)


def sums_of_rows(rate: Array, dimension: int, x: Side, y: Side) -> Float[Array, "k n"]:
    """Transposed Z w of the elements of one side, and weights of the other."""
    return _in_order(_called(rate, dimension, x, y), x, y)


def sums_of_both(
    rate: Array, dimension: int, x: Side, y: Side
) -> tuple[Float[Array, "k n"], Float[Array, "k m"]]:
    """Transposed Z w of the elements of either side, and weights of the other."""
    found = _called(rate, dimension, x, y, mutual=True)
    n = len(x.rows)
    return _in_order(found[:, :n], x, y), _in_order(found[:, n:], y, x)


def _called(
    rate: Array, dimension: int, x: Side, y: Side, symmetric: bool = False, mutual: bool = False
) -> UInt32[Array, "k tiles 2"]:
    width = len(x.rows) + (len(y.rows) if mutual else 0)
    call = jax.ffi.ffi_call(
        gpu.target(),
        jax.ShapeDtypeStruct((len(x.weights), width, 2), jnp.uint32),
        vmap_method="sequential",
    )
    operands = (
        *(x.rows, y.rows, x.squares, y.squares, x.weights, y.weights),
        *(_present(x.weights, ROWS), _present(y.weights, COLUMNS)),
        *(jnp.stack([x.size, y.size]), jnp.reshape(rate * np.float32(-1 / math.log(2)), (1,))),
    )
    return call(
        *operands,
        steps=np.int64(-(-dimension // _STEP)),
        symmetric=np.int64(symmetric),
        mutual=np.int64(mutual),
    )


def _in_order(
    halves: UInt32[Array, "k tiles 2"], elements: Side, weighed: Side
) -> Float[Array, "k n"]:
    """The sums of some elements in their own order, in the unit of the weights of others."""
    lower, upper = halves[..., 0], halves[..., 1].astype(jnp.int32)
    sums = upper.astype(jnp.float32) * 2.0**32 + lower.astype(jnp.float32)
    sums = jnp.ldexp(sums * 2.0**-_UNIT, weighed.exponent)[:, : len(elements.order)]
    sums = jnp.zeros_like(sums).at[:, elements.order].set(sums, unique_indices=True)
    return alike(sums, weighed.weights)


def _by_distribution(weights: Float[Array, "k n"], count: Array) -> Int[Array, " n"]:
    """An order in which elements of one distribution lie together, and padding last.

    The kernel passes by distributions of which a tile has no element.
    """
    first = jnp.argmax(jnp.abs(weights), axis=0).astype(jnp.int32)
    place = jnp.arange(weights.shape[1], dtype=jnp.int32)
    return jnp.argsort(jnp.where(place < count, first, len(weights))).astype(jnp.int32)


def _present(weights: Float[Array, "k n"], tile: int) -> UInt32[Array, " tiles"]:
    """For each tile a bit for each distribution that has an element in it."""
    k, n = weights.shape
    found = jnp.any(weights.reshape(k, n // tile, tile) != 0, axis=2)
    bits = jnp.left_shift(jnp.uint32(1), jnp.arange(k, dtype=jnp.uint32))[:, None]
    return jnp.sum(jnp.where(found, bits, 0), axis=0, dtype=jnp.uint32)
