"""Z w of bytes by the kernel for NVIDIA GPUs, with no tile in memory, and where that serves."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, Int8, UInt32

from lcrjax.native import gpu
from lcrjax.numerics.meshes import alike
from lcrjax.pairwise.tile_loops import product_in_tiles
from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.distance_kernels import RMSD
from lcrjax.similarity.distances import squares
from lcrjax.similarity.distances.byte_products import signed

_MOST_COLUMNS = 32  # of weights: the bits of a word
_FEWEST_PAIRS = 2**22  # below them there is nothing to gain
# As in src/gpu/problem.h.
ROWS, COLUMNS, DEPTH = 128, 256, 64
_STEP = 32  # bytes of one product
# A sum is an integer in units of 2^-61 of all weights; similarities are at least exp(-_FARTHEST).
_UNIT = 61
_FARTHEST = 20.0


def serve(similarity: TiledSimilarity, points: Any, weights: Array) -> bool:
    """Whether the kernel computes Z w of such prepared points, on a GPU."""
    return (
        type(similarity) is RMSD
        and isinstance(points, squares.Bytes)
        and points.squares.shape[1] == 1
        and weights.dtype == jnp.float32
        and 0 < len(weights) <= _MOST_COLUMNS
        and len(points.pixels) * weights.shape[1] >= _FEWEST_PAIRS
        and gpu.available()
    )


def within_reach(similarity: TiledSimilarity) -> bool | None:
    """Whether the kernel's integers reach all similarities of bytes, where numbers at hand say so.

    A GPU that has to look at them waits for it in the middle of its work.
    """
    if type(similarity) is not RMSD or not gpu.available():
        return None
    numbers = similarity.scale, similarity.unit
    if any(isinstance(x, Array) for x in numbers):
        return None
    scale, unit = (float(np.asarray(x)) for x in numbers)
    return scale * 255 / unit <= _FARTHEST


def traced_product(
    similarity: RMSD,
    points: squares.Bytes,
    others: squares.Bytes | None,
    weights: Float[Array, "k m"],
    counts: tuple[Array, Array],
    side: int,
    near: bool | None = None,
) -> Float[Array, "k n"]:
    """Transposed Z w of the first `counts` points and others; see `serve`.

    Tiles compute what is farther apart than the kernel's integers reach.

    Args:
        similarity: The similarity that prepared the points.
        points: Prepared elements.
        others: Prepared others, or None for `points`.
        weights: One row for each distribution.
        counts: How many of the points and of the others are elements.
        side: Side of a tile.
        near: What `within_reach` says.
    """
    rate = similarity.rate(points.dimension, jnp.float32, True)
    if near:
        return _by_kernel(rate, points, others, weights, counts)
    given = (similarity, points, others, weights, counts)
    return jax.lax.cond(
        rate * 255 * math.sqrt(points.dimension) <= _FARTHEST,
        lambda *given: _by_kernel(rate, *given[1:]),
        partial(product_in_tiles, side=side),
        *given,
    )


def _by_kernel(
    rate: Array,
    points: squares.Bytes,
    others: squares.Bytes | None,
    weights: Float[Array, "k m"],
    counts: tuple[Array, Array],
) -> Float[Array, "k n"]:
    together = jnp.sum(jnp.abs(weights), axis=1)
    exponent = jnp.frexp(together)[1][:, None]
    weights = jnp.ldexp(weights, -exponent)
    columns = points if others is None else others
    order = _by_distribution(weights, counts[1])
    y, y_squares = _rows(columns, order)
    y_weights = jnp.pad(weights[:, order], [(0, 0), (0, -weights.shape[1] % COLUMNS)])
    x, x_squares, x_weights = y, y_squares, y_weights
    if others is not None:
        x, x_squares = _rows(points, jnp.arange(len(points.pixels), dtype=jnp.int32))
        x_weights = jnp.zeros((len(weights), len(x)), jnp.float32)
    call = jax.ffi.ffi_call(
        gpu.target(),
        jax.ShapeDtypeStruct((len(weights), len(x), 2), jnp.uint32),
        vmap_method="sequential",
    )
    operands = (
        *(x, y, x_squares, y_squares, x_weights, y_weights),
        *(_present(x_weights, ROWS), _present(y_weights, COLUMNS)),
        *(jnp.stack(counts), jnp.reshape(rate * np.float32(-1 / math.log(2)), (1,))),
    )
    steps = -(-points.dimension // _STEP)
    halves = call(*operands, steps=np.int64(steps), symmetric=np.int64(others is None))
    lower, upper = halves[..., 0], halves[..., 1].astype(jnp.int32)
    sums = upper.astype(jnp.float32) * 2.0**32 + lower.astype(jnp.float32)
    sums = jnp.ldexp(sums * 2.0**-_UNIT, exponent)[:, : len(points.pixels)]
    if others is None:
        sums = jnp.zeros_like(sums).at[:, order].set(sums, unique_indices=True)
    return alike(sums, weights)


def _by_distribution(weights: Float[Array, "k m"], count: Array) -> Int[Array, " m"]:
    """An order in which elements of one distribution lie together, and padding last.

    The kernel passes by distributions of which a tile has no element.
    """
    first = jnp.argmax(jnp.abs(weights), axis=0).astype(jnp.int32)
    place = jnp.arange(weights.shape[1], dtype=jnp.int32)
    return jnp.argsort(jnp.where(place < count, first, len(weights))).astype(jnp.int32)


def _rows(
    points: squares.Bytes, order: Int[Array, " n"]
) -> tuple[Int8[Array, "m depth"], Int[Array, " m"]]:
    """Signed bytes and their sums of squares in an order, padded to whole tiles."""
    n, d = points.pixels.shape
    pixels = jnp.pad(signed(points.pixels[order]), [(0, -n % COLUMNS), (0, -d % DEPTH)])
    return pixels, jnp.pad(points.shifted[order, 0] + 128**2 * d, (0, -n % COLUMNS))


def _present(weights: Float[Array, "k n"], tile: int) -> UInt32[Array, " tiles"]:
    """For each tile a bit for each distribution that has an element in it."""
    k, n = weights.shape
    found = jnp.any(weights.reshape(k, n // tile, tile) != 0, axis=2)
    bits = jnp.left_shift(jnp.uint32(1), jnp.arange(k, dtype=jnp.uint32))[:, None]
    return jnp.sum(jnp.where(found, bits, 0), axis=0, dtype=jnp.uint32)
