"""Images on the device, their order in an epoch, and how an epoch is cut into batches."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int


class Images(NamedTuple):
    """A dataset on the device: (n, h, w, c) uint8 or float in [0, 1], and (n,) int32 labels."""

    pixels: Array
    labels: Array


class Batch(NamedTuple):
    """Some images of an epoch.

    Attributes:
        chosen: Their indices, padded.
        weights: 1 for each image, 0 for padding.
        n: How many there are.
    """

    chosen: Int[Array, " size"]
    weights: Float[Array, " size"]
    n: Int[Array, ""]


def as_input(pixels: Array, dtype: str) -> Array:
    """Scale pixels to [-1, 1]."""
    scaled = pixels.astype(jnp.float32)
    if pixels.dtype == jnp.uint8:
        scaled = scaled / 255.0
    return (2.0 * scaled - 1.0).astype(dtype)


def shuffle(key: Array, indices: Int[Array, " capacity"], n: ArrayLike) -> Int[Array, " capacity"]:
    """Permute the first `n` entries, the same whatever the capacity."""
    position = jnp.arange(len(indices))
    bits = jax.vmap(lambda i: jax.random.bits(jax.random.fold_in(key, i)))(position)
    return jax.lax.sort((position >= n, bits, indices), num_keys=2)[2]


def count_batches(n: Any, size: int) -> Any:
    """Say into how many batches of at most `size` images an epoch over `n` is cut."""
    return (n + size - 1) // size


def cut(indices: Int[Array, " capacity"], n: Int[Array, ""], size: int, i: Int[Array, ""]) -> Batch:
    """Return batch `i` of the first `n` indices.

    Batches differ by one image at most, so that none is too small for batch normalisation.
    """
    batches = count_batches(n, size)

    def begin(i: Array) -> Array:  # i * n // batches, which overflows from a million images on
        return i * (n // batches) + i * (n % batches) // batches

    start, count = begin(i), begin(i + 1) - begin(i)
    place = jnp.arange(size, dtype=jnp.int32)
    chosen = indices[jnp.minimum(start + place, len(indices) - 1)]
    return Batch(chosen, (place < count).astype(jnp.float32), count)
