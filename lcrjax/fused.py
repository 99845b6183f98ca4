"""Ordinariness by one call of a kernel in C, where there is one: Z w with no tile in memory."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from lcrjax import native, squares
from lcrjax.similarity.base import TiledSimilarity

#: As the kernels number them.
PROFILES = ("exponential", "gaussian", "matern32", "matern52")
_MOST_PIXELS = 66_051  # that all differ by 255: an unsigned int32 holds their squared distance


def fused(similarity: TiledSimilarity, points: Any, weights: Array) -> bool:
    """Whether a kernel computes Z w of such points; on a CPU, that is."""
    if similarity.radial_profile(points) is None or weights.dtype != jnp.float32:
        return False
    if isinstance(points, squares.Bytes):
        return points.dimension <= _MOST_PIXELS and native.available()
    return points.centred.dtype == jnp.float32 and native.available()


def fused_product(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Float[Array, "k m"],
    counts: tuple[Array, Array],
) -> Float[Array, "k n"]:
    """Transposed Z w of the first `counts` points and others; see `fused`.

    Args:
        similarity: The similarity that prepared the points.
        points: Prepared elements.
        others: Prepared others, or None for `points`.
        weights: One row for each distribution.
        counts: How many of the points and of the others are elements.

    Returns:
        Zeros for the points that are none.
    """
    found = similarity.radial_profile(points)
    assert found is not None
    profile, rate = found
    of_bytes = isinstance(points, squares.Bytes)
    given = [x for x in (points, others) if x is not None]
    elements = [x.pixels if of_bytes else x.centred for x in given]
    call = jax.ffi.ffi_call(
        native.target("sums_of_bytes" if of_bytes else "sums_of_floats"),
        jax.ShapeDtypeStruct((len(weights), len(elements[0])), jnp.float32),
        vmap_method="expand_dims",
    )
    rate = jnp.asarray(rate, jnp.float32)
    return call(*elements, weights, jnp.stack(counts), rate, profile=PROFILES.index(profile))
