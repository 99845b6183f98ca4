"""Ordinariness without the similarity matrix: Z w in tiles, in bounded memory.

Elements are padded with elements of no weight to a whole number of tiles, in few size classes, so
that datasets of about one size share a compilation.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.numerics.pytrees import map_elements
from lcrjax.pairwise.derivatives import product_backward
from lcrjax.pairwise.kernels import fused, fused_at_once, fused_product
from lcrjax.pairwise.tile_loops import rectangular_product, symmetric_product, tiles_of
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
    if tile is not None and (not isinstance(tile, int | np.integer) or tile < 1):
        raise ValueError(f"tile is {tile}: give a positive whole number of elements")
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

    return map_elements(one, tree)


def _looped(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Array,
    counts: tuple[Array, Array],
    side: int,
) -> Array:
    tiles = tiles_of(counts, side)
    if others is None and similarity.symmetric:
        return symmetric_product(similarity, points, weights, tiles[0], side)
    columns = points if others is None else others
    return rectangular_product(similarity, points, columns, weights, tiles, side, others is None)


@partial(jax.custom_vjp, nondiff_argnums=(5,))
def _product(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Array,
    counts: tuple[Array, Array],
    side: int,
) -> Array:
    """Transposed Z w of padded points, (k, n); `others` None for the points themselves."""
    given = (similarity, points, others, weights, counts)
    if not fused(similarity, points, weights):
        return _looped(*given, side)
    return jax.lax.platform_dependent(
        *given, cpu=fused_product, default=partial(_looped, side=side)
    )


def _product_forward(similarity, points, others, weights, counts, side):  # type: ignore[no-untyped-def]
    out = _product(similarity, points, others, weights, counts, side)
    return out, (similarity, points, others, weights, counts)


_product.defvjp(_product_forward, product_backward)


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
    weights = jnp.pad(weights, [(0, 0), (0, sizes[1] - m)])
    return _product(similarity, _pad(points, sizes[0]), others, weights, counts, side)[:, :n]


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
    return _product(similarity, points, columns, weights, counts, side)


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
    at_once = fused_at_once(similarity, elements, weights, others)
    if at_once is not None:
        return at_once
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
        return jnp.asarray(array)
    if isinstance(array, jax.Array):
        return jnp.pad(array, [(0, size - len(array))] + [(0, 0)] * (array.ndim - 1), mode="edge")
    # A copy of our own, where jax may leave it: a CPU reads memory aligned to 64 bytes in place.
    memory = np.empty(array[:1].nbytes * size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    out = memory[start : start + array[:1].nbytes * size].view(array.dtype)
    out = out.reshape(size, *array.shape[1:])
    out[: len(array)] = array
    out[len(array) :] = array[-1]
    return jax.device_put(out, may_alias=True)
