"""Squared Euclidean distances of tiles by matrix products: exact for bytes, safe for floats."""

import math
from collections.abc import Iterator, Sequence
from functools import partial, reduce
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import DTypeLike
from jaxtyping import Bool, Float, Int, Num, UInt8

from lcrjax.numerics.meshes import alike
from lcrjax.numerics.pytrees import Shared
from lcrjax.similarity.distances.byte_products import byte_product, signed

#: Pixels of an element whose squared distance an int32 holds, even if all differ by 255.
MOST_PIXELS = (2**31 - 1) // 255**2
# A bound of the rounding of |x|² + |y|² - 2 x·y, in units of the last place of the squares: of
# products whose errors are by chance, and of those that are all alike and rounded the same way,
# which make a sixth of a unit each where a processor adds them one after another.
_NOISE, _ALIKE = 24.0, 8.0
_LONGEST_SUM = 192  # products added up one after another before sums of sums begin
#: Largest k of images whose pixels are k over it, in the order in which they are tried.
LEVELS = (255, 16, 1)
_ROWS_AT_ONCE = 256  # of which squares are summed


class Bytes(NamedTuple):
    """Pixels in 0..255, and what their squared distances take beside inner products.

    For each chunk of pixels the sum of squares, and that of squares less 256 times the pixels:
    |x - y|² = (|x|² - 256 sum x) + |y|² - 2 x·(y - 128).
    """

    pixels: UInt8[Array, "n d"]
    squares: Int[Array, "n chunks"]
    shifted: Int[Array, "n chunks"]

    @property
    def dimension(self) -> int:
        """Number of pixels of an element."""
        return self.pixels.shape[1]


class Floats(NamedTuple):
    """Vectors as they were given, a centre, and the sums of squares about it.

    Products take vectors less the centre, differences the vectors themselves: far from the centre
    subtraction would round digits away.
    """

    vectors: Float[Array, "n d"]
    squares: Float[Array, " n"]
    centre: Shared

    @property
    def dimension(self) -> int:
        """Number of components of an element."""
        return self.vectors.shape[1]

    @property
    def centred(self) -> Float[Array, "n d"]:
        """Vectors less the centre."""
        return self.vectors - self.centre.value[None, :]


def _chunks(dimension: int, most: int) -> list[slice]:
    pieces = max(1, -(-dimension // most))
    step = -(-dimension // pieces)
    return [slice(start, min(start + step, dimension)) for start in range(0, dimension, step)]


def _sum(pixels: Int[Array, "n d"]) -> Int[Array, " n"]:
    return jnp.sum(pixels, axis=1, dtype=jnp.int32)  # which 64-bit mode would widen


def from_bytes(images: UInt8[Array, "n ..."]) -> Bytes:
    """Prepare bytes."""
    pixels = images.reshape(len(images), -1)
    squares, shifted = lax.platform_dependent(pixels, cpu=_sums_in_blocks, default=_sums)
    return Bytes(pixels, squares, shifted)


def _sums(pixels: UInt8[Array, "n d"]) -> Int[Array, "2 n chunks"]:
    """Sums of squares, and those less 256 times the pixels, of each chunk."""
    chunks = [pixels[:, c].astype(jnp.int32) for c in _chunks(pixels.shape[1], MOST_PIXELS)]
    squares = jnp.stack([_sum(chunk**2) for chunk in chunks], axis=1)
    sums = jnp.stack([_sum(chunk) for chunk in chunks], axis=1)
    return jnp.stack([squares, squares - 256 * sums])


def _sums_in_blocks(pixels: UInt8[Array, "n d"]) -> Int[Array, "2 n chunks"]:
    """The same a block at a time, since XLA would write all pixels down as int32 on a CPU."""
    n, rows = len(pixels), min(len(pixels), _ROWS_AT_ONCE)

    def block(i: Array, out: Array) -> Array:
        start = jnp.minimum(i * rows, n - rows)
        part = _sums(lax.dynamic_slice_in_dim(pixels, start, rows))
        return lax.dynamic_update_slice_in_dim(out, part, start, 1)

    chunks = len(_chunks(pixels.shape[1], MOST_PIXELS))
    out = alike(jnp.zeros((2, n, chunks), jnp.int32), pixels)
    return lax.fori_loop(0, -(-n // rows), block, out)


def from_floats(vectors: Float[Array, "n ..."], centre: Float[Array, " d"]) -> Floats:
    """Prepare floats; near the `centre`, where squares are small, little is lost by rounding."""
    flat = vectors.reshape(len(vectors), -1)
    return Floats(flat, jnp.sum((flat - centre[None, :]) ** 2, axis=1), Shared(centre))


def byte_distances(rows: Bytes, columns: Bytes, dtype: DTypeLike) -> Num[Array, "a b"]:
    """Squared distances in units of 1/255²: exact integers, rounded once to `dtype`.

    A chunk's distance fits an int32. Sums of several are held in two: the lower 16 bits of each,
    and the rest.
    """
    high = low = jnp.zeros((), jnp.int32)
    pieces = _chunks(rows.dimension, MOST_PIXELS)
    for chunk, piece in enumerate(pieces):
        product = byte_product(rows.pixels[:, piece], signed(columns.pixels[:, piece]))
        sums = rows.shifted[:, chunk][:, None] + columns.squares[:, chunk][None, :]
        squared = sums - 2 * product
        if len(pieces) == 1:
            return squared.astype(dtype)
        high, low = high + (squared >> 16), low + (squared & 0xFFFF)
    return (high + (low >> 16)).astype(dtype) * 65536 + (low & 0xFFFF).astype(dtype)


def inner_products(rows: Float[Array, "a d"], columns: Float[Array, "b d"]) -> Float[Array, "a b"]:
    """Inner products in full float32 precision, long ones in sums of sums."""
    product = partial(
        lax.dot_general,
        dimension_numbers=(((1,), (1,)), ((), ())),
        precision=lax.Precision.HIGHEST,
    )
    pieces = _chunks(rows.shape[1], _LONGEST_SUM)
    parts = [product(rows[:, piece], columns[:, piece]) for piece in pieces]
    return reduce(jnp.add, parts)


def float_distances(rows: Floats, columns: Floats, same: Array | bool) -> Float[Array, "a b"]:
    """Squared distances by products alone; those of close pairs are lost in rounding."""
    sums = rows.squares[:, None] + columns.squares[None, :]
    squared = jnp.maximum(sums - 2 * inner_products(rows.centred, columns.centred), 0)
    return jnp.where(diagonal(squared.shape, same), 0, squared)


def diagonal(shape: tuple[int, ...], same: Array | bool) -> Bool[Array, "a b"]:
    """Pairs of an element with itself, in a tile of the same elements."""
    return jnp.asarray(same) & jnp.eye(shape[0], shape[1], dtype=bool)


def distance_noise(rows: Floats, columns: Floats) -> Float[Array, "a b"]:
    """A bound of the rounding error of `float_distances`."""
    eps = float(jnp.finfo(rows.squares.dtype).eps)
    longest = min(rows.dimension, _LONGEST_SUM)
    units = max(_NOISE + math.sqrt(longest) / 2, _ALIKE + longest / 6)
    return units * eps * (rows.squares[:, None] + columns.squares[None, :])


def levels(given: Sequence[np.ndarray]) -> tuple[list[np.ndarray], int] | None:
    """Recognise images whose pixels are all k/255 (or k/16, or 0 and 1): of all sets the same.

    Args:
        given: Sets of images, floats or bytes (of which 255 is one), on the host.

    Returns:
        The numbers k as bytes and the largest possible k, or None if the pixels are no such
        fractions. Reads arrays in blocks and gives up at the first block that is none.
    """
    for most in LEVELS:
        found: list[np.ndarray] = []
        for images in given:
            k = _as_levels(images, most)
            if k is None:
                break
            found.append(k)
        else:
            return found, most
    return None


def first_between(images: np.ndarray, most: int) -> int | None:
    """Place of the first image with a pixel that is no k/most; None where there is none."""
    for start, _, right in _in_levels(images, most):
        if not right.all():
            return start + int(np.argmin(right.reshape(len(right), -1).all(axis=1)))
    return None


def _as_levels(images: np.ndarray, most: int) -> np.ndarray | None:
    if images.dtype == np.uint8:
        return images if most == 255 else None
    out = np.empty(images.shape, np.uint8)
    for start, k, right in _in_levels(images, most):
        if not right.all():
            return None
        out[start : start + len(k)] = k
    return out


def _in_levels(
    images: np.ndarray, most: int
) -> Iterator[tuple[int, np.ndarray, Bool[np.ndarray, "..."]]]:
    """Blocks from a place on: the nearest k of each pixel, and whether that is it."""
    block = max(1, 2**22 // max(1, images[:1].size))
    unit = images.dtype.type(most)
    # The first image says at once that embeddings are none.
    ends = [*range(1, len(images), block), len(images)]
    for start, end in zip([0, *ends], ends, strict=False):
        part = images[start:end]
        k = np.rint(part * unit)
        yield start, k, (k >= 0) & (k <= most) & (k / unit == part)
