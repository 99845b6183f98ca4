"""Z w of bytes by the kernel for NVIDIA GPUs, with no tile in memory, and where that serves."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, UInt8

from lcrjax.native import gpu
from lcrjax.pairwise import gpu_sums
from lcrjax.pairwise.tile_loops import mutual_products, product_in_tiles
from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.distance_kernels import RMSD
from lcrjax.similarity.distances import squares

_MOST_COLUMNS = 32  # of weights: the bits of a word
_FEWEST_PAIRS = 2**22  # below them there is nothing to gain
_FARTHEST = 20.0  # sums are integers, and similarities at least exp(-_FARTHEST)
# Elements of a block of a ring: enough to hide what is done once for each, and to share out.
_LEAST_BLOCK, _LARGEST_BLOCK, _BLOCKS, _BLOCK_BYTES = 2**13, 2**16, 8, 2**28


def serve(similarity: TiledSimilarity, points: Any, weights: Array) -> bool:
    """Whether the kernel computes Z w of such prepared points, on a GPU."""
    return (
        type(similarity) is RMSD
        and isinstance(points, squares.Bytes)
        and points.dimension <= squares.MOST_PIXELS
        and weights.dtype == jnp.float32
        and 0 < len(weights) <= _MOST_COLUMNS
        and len(points.pixels) * weights.shape[1] >= _FEWEST_PAIRS
        and gpu.available()
    )


def serve_ring(similarity: TiledSimilarity, elements: Any, columns: int, dtype: Any) -> bool:
    """Whether the kernel compares canonical elements that go round a ring of GPUs.

    Those of a similarity whose numbers are at hand alone: a choice on the device would be one more
    program for every block.
    """
    return (
        bool(within_reach(similarity))
        and elements.dtype == jnp.uint8
        and math.prod(elements.shape[1:]) <= squares.MOST_PIXELS
        and dtype == jnp.float32
        and 0 < columns <= _MOST_COLUMNS
        and len(elements) ** 2 >= _FEWEST_PAIRS
    )


def ring_block(count: int, dimension: int) -> int:
    """How many of a device's elements go round the ring together, of so many pixels."""
    most = max(gpu_sums.COLUMNS, _BLOCK_BYTES // max(dimension, 1))
    return min(most, _LARGEST_BLOCK, max(_LEAST_BLOCK, -(-count // _BLOCKS)))


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

    def by_kernel(
        similarity: RMSD,
        points: squares.Bytes,
        others: squares.Bytes | None,
        weights: Array,
        counts: tuple[Array, Array],
    ) -> Array:
        rate, d = _rate(similarity, points), points.dimension
        if others is None:
            return gpu_sums.sums_of_one(rate, d, gpu_sums.side(points, weights, counts[1]))
        rows = gpu_sums.unweighted(points, len(weights), counts[0])
        return gpu_sums.sums_of_rows(rate, d, rows, gpu_sums.side(others, weights, counts[1]))

    given = (similarity, points, others, weights, counts)
    return _where_near(near, by_kernel, partial(product_in_tiles, side=side), *given)


def traced_products_of_two(
    similarity: RMSD,
    points: squares.Bytes,
    others: squares.Bytes,
    weights: Float[Array, "k n"],
    its_weights: Float[Array, "k m"],
    counts: tuple[Array, Array],
    side: int,
    near: bool | None = None,
) -> tuple[Float[Array, "k n"], Float[Array, "k m"]]:
    """The same of points and others, both ways, and each pair computed once."""

    def by_kernel(
        similarity: RMSD,
        points: squares.Bytes,
        others: squares.Bytes,
        weights: Array,
        its_weights: Array,
        counts: tuple[Array, Array],
    ) -> tuple[Array, Array]:
        given = zip((points, others), (weights, its_weights), counts, strict=True)
        sides = (gpu_sums.side(*one) for one in given)
        return gpu_sums.sums_of_both(_rate(similarity, points), points.dimension, *sides)

    given = (similarity, points, others, weights, its_weights, counts)
    return _where_near(near, by_kernel, partial(mutual_products, side=side), *given)


def ring_comparison(similarity: TiledSimilarity, own: UInt8[Array, "m ..."], side: int) -> Any:
    """How blocks of so many elements are compared in a ring; see `ring.Comparison`."""
    assert isinstance(similarity, RMSD)  # as `serve_ring` says
    size, dimension = jnp.int32(side), math.prod(own.shape[1:])
    rate = similarity.rate(dimension, jnp.float32, True)

    def prepare(part: Array, weights: Array) -> gpu_sums.Side:
        return gpu_sums.side(squares.from_bytes(part), weights, size)

    def compare(rows: gpu_sums.Side, columns: gpu_sums.Side, _: Array) -> tuple[Array, Array]:
        return gpu_sums.sums_of_both(rate, dimension, rows, columns)

    return prepare, compare


def _rate(similarity: RMSD, points: squares.Bytes) -> Array:
    return similarity.rate(points.dimension, jnp.float32, True)


def _where_near(
    near: bool | None, by_kernel: Any, in_tiles: Any, similarity: RMSD, points: Any, *given: Any
) -> Any:
    """What the kernel reaches by the kernel, the rest in tiles."""
    if near:
        return by_kernel(similarity, points, *given)
    reached = _rate(similarity, points) * 255 * math.sqrt(points.dimension) <= _FARTHEST
    return jax.lax.cond(reached, by_kernel, in_tiles, similarity, points, *given)
