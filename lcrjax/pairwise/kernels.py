"""Ordinariness by one call of a kernel in C, where there is one: Z w with no tile in memory."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax import native
from lcrjax.native.calls import sums
from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.distances import squares

#: As the kernels number them.
PROFILES = ("exponential", "gaussian", "matern32", "matern52")
_MOST_PIXELS = 66_051  # that all differ by 255: an unsigned int32 holds their squared distance


def _profile(
    similarity: TiledSimilarity, dimension: int, of_bytes: bool, weights: Array
) -> tuple[str, Any] | None:
    """Profile and rate where a kernel computes Z w; on a CPU, that is."""
    if not native.available() or weights.dtype != jnp.float32:
        return None
    if of_bytes and dimension > _MOST_PIXELS:
        return None
    return similarity.radial_profile(dimension, of_bytes)


def fused(similarity: TiledSimilarity, points: Any, weights: Array) -> bool:
    """Whether a kernel computes Z w of such prepared points; on a CPU, that is."""
    if not isinstance(points, squares.Bytes | squares.Floats):
        return False
    of_bytes = isinstance(points, squares.Bytes)
    if isinstance(points, squares.Floats) and points.vectors.dtype != jnp.float32:
        return False
    return _profile(similarity, points.dimension, of_bytes, weights) is not None


def fused_at_once(
    similarity: TiledSimilarity, elements: Any, weights: Array, others: Any
) -> Float[Array, "n k"] | None:
    """Z w of arrays on the host, where nothing is traced: there is no program to compile.

    Args:
        similarity: The similarity that made the elements canonical.
        elements: n elements.
        weights: One column for each distribution, (m, k).
        others: m elements, or None for `elements`.

    Returns:
        None where no kernel has it, or on another device than a CPU.
    """
    given = [x for x in (elements, others) if x is not None]
    if any(isinstance(x, jax.core.Tracer) for x in jax.tree.leaves((similarity, given, weights))):
        return None
    if jax.default_backend() != "cpu" or weights.shape[1] == 0:
        return None
    kind = given[0].dtype
    if kind not in (np.uint8, np.float32) or any(x.dtype != kind for x in given):
        return None
    flat = [np.asarray(x).reshape(len(x), -1) for x in given]
    found = _profile(similarity, flat[0].shape[1], kind == np.uint8, weights)
    if found is None:
        return None
    columns = None if others is None else flat[1]
    profile, rate = PROFILES.index(found[0]), float(found[1])
    return jnp.asarray(sums(flat[0], columns, np.asarray(weights), profile, rate))


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
    of_bytes = isinstance(points, squares.Bytes)
    found = similarity.radial_profile(points.dimension, of_bytes)
    assert found is not None
    profile, rate = found
    given = [x for x in (points, others) if x is not None]
    elements = [x.pixels if of_bytes else x.vectors for x in given]
    centre = [] if of_bytes else [points.centre.value]
    call = jax.ffi.ffi_call(
        native.target("sums_of_bytes" if of_bytes else "sums_of_floats"),
        jax.ShapeDtypeStruct((len(weights), len(elements[0])), jnp.float32),
        vmap_method="expand_dims",
    )
    rate = jnp.asarray(rate, jnp.float32)
    return call(
        *elements, weights, jnp.stack(counts), rate, *centre, profile=PROFILES.index(profile)
    )
