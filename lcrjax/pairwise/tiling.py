"""Sizes of tiles, and the padding of elements to whole tiles, in few size classes.

Elements are padded with elements of no weight to a whole number of tiles, so that datasets of
about one size share a compilation.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Int

from lcrjax.numerics.pytrees import map_elements
from lcrjax.numerics.whole_numbers import check_whole

#: Largest side of a tile by what is computed and where; "other" stands for other backends.
LARGEST_TILES = {
    "similarities": {"cpu": 1024, "gpu": 4096, "tpu": 2048, "other": 2048},
    # Least distances are read from a processor's cache.
    "neighbours": {"cpu": 512, "gpu": 4096, "tpu": 2048, "other": 2048},
    "near-duplicates": {"other": 512},
    # A tile's logs and powers stay in a processor's second cache.
    "removals": {"cpu": 128, "other": 1024},
    # Many subsets side by side.
    "subsets": {"other": 256},
}
SMALLEST_TILE = 32


def tile_side(n: int, tile: int | None = None, *, of: str = "similarities") -> int:
    """Choose the side of a tile for n elements: a power of two, on one side at most n or so.

    Args:
        n: Number of elements.
        tile: The largest side wanted; None chooses by backend.
        of: What the tile holds, a key of `LARGEST_TILES`.

    Raises:
        ValueError: If `tile` is not positive.
    """
    check_tile(tile)
    sizes = LARGEST_TILES[of]
    largest = tile or sizes.get(jax.default_backend(), sizes["other"])
    return min(int(largest), max(SMALLEST_TILE, 1 << max(0, n - 1).bit_length()))


def check_tile(tile: int | None) -> None:
    """Check the largest side of a tile that a caller wants.

    Raises:
        ValueError: If it is not a positive whole number.
    """
    if tile is not None:
        check_whole("tile", tile, 1, "give a positive whole number of elements")


def padded_tiles(n: int, side: int) -> int:
    """Round the number of tiles of n elements up to a size class (1 to 16, 18, 20, 22, and so on).

    At most an eighth of the memory of the elements is padding, none of the time.
    """
    tiles = max(1, -(-n // side))
    step = 1 << max(0, tiles.bit_length() - 4)
    return -(-tiles // step) * step


def pad_prepared(tree: Any, size: int) -> Any:
    """Pad every array of prepared elements with zeros."""

    def one(x: Array) -> Array:
        return jnp.pad(x, [(0, size - len(x))] + [(0, 0)] * (x.ndim - 1))

    return map_elements(one, tree)


def pad_elements(elements: Any, size: int) -> Any:
    """Pad elements with the last one, on the host what lies there; a tuple's arrays each."""
    return jax.tree.map(lambda array: padded(array, size), elements)


def padded(array: Any, size: int, order: Int[np.ndarray, " n"] | None = None) -> Array:
    """Pad an array with its last element; one on the host in another order, if it is given."""
    if len(array) == size and order is None:
        return jnp.asarray(array)
    if isinstance(array, jax.Array):
        return jnp.pad(array, [(0, size - len(array))] + [(0, 0)] * (array.ndim - 1), mode="edge")
    # A copy of our own, where jax may leave it: a CPU reads memory aligned to 64 bytes in place.
    memory = np.empty(array[:1].nbytes * size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    out = memory[start : start + array[:1].nbytes * size].view(array.dtype)
    out = out.reshape(size, *array.shape[1:])
    if order is None:
        out[: len(array)] = array
    else:
        np.take(array, order, axis=0, out=out[: len(array)], mode="clip")  # else it is buffered
    out[len(array) :] = array[-1]
    return jax.device_put(out, may_alias=True)
