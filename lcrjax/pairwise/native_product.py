"""Z w by one call of a kernel in C, with no tile in memory, and where that serves."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax import native
from lcrjax.native.calls import FORMS, sums
from lcrjax.native.pool import PackedPool
from lcrjax.numerics.meshes import alike
from lcrjax.numerics.progress import listener
from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.distances import squares

MOST_COLUMNS = 32  # of weights: for more, products of matrices are quicker, a tile at a time
_MOST_PIXELS = 66_051  # that all differ by 255: an unsigned int32 holds their squared distance


def serve(similarity: TiledSimilarity, points: Any, weights: Array) -> bool:
    """Whether a kernel computes Z w of such prepared points; on a CPU, that is."""
    if len(weights) > MOST_COLUMNS:
        return False
    if isinstance(points, squares.Bytes):
        kind = points.pixels.dtype
    elif isinstance(points, squares.Floats):
        kind = points.vectors.dtype
    elif isinstance(points, Array) and points.ndim == 2:
        kind = points.dtype
    else:
        return False
    return _form(similarity, _dimension(points), kind, weights.dtype) is not None


def _dimension(points: Any) -> int:
    """Components of a prepared element."""
    return points.shape[1] if isinstance(points, Array) else points.dimension


def serve_host(similarity: TiledSimilarity, elements: Any, others: Any = None) -> bool:
    """Whether `sums_on_host` computes Z w of these: canonical arrays on the host, on a CPU."""
    given = [x for x in (elements, others) if x is not None]
    if any(isinstance(x, jax.core.Tracer | tuple) for x in (*given, *jax.tree.leaves(similarity))):
        return False
    kind, d = given[0].dtype, math.prod(given[0].shape[1:])
    if jax.default_backend() != "cpu" or any(x.dtype != kind for x in given):
        return False
    return _form(similarity, d, kind, jnp.float32) is not None


def sums_on_host(
    similarity: TiledSimilarity,
    elements: Any,
    weights: Float[np.ndarray, "m k"],
    others: Any = None,
    *,
    most_threads: int | None = None,
    split: int = 0,
) -> Float[np.ndarray, "n k"]:
    """Z w of arrays on the host; there is no program to compile. See `serve_host`.

    Args:
        similarity: The similarity that made the elements canonical.
        elements: n elements.
        weights: One column for each distribution, k >= 1, float32.
        others: m elements, or None for `elements`.
        most_threads: None for one for each processor.
        split: As `lcrjax.native.calls.sums` takes it.
    """
    columns = None if others is None else _flat(others)
    served = _served(similarity, elements)
    return sums(_flat(elements), columns, weights, *served, most_threads, split, listener())


def packed(similarity: TiledSimilarity, elements: Any) -> PackedPool:
    """Arrays on the host, kept as kernels take them. See `serve_host`."""
    return PackedPool(_flat(elements), *_served(similarity, elements))


def _flat(elements: Any) -> np.ndarray:
    return np.asarray(elements).reshape(len(elements), -1)


def _served(similarity: TiledSimilarity, elements: Any) -> tuple[str, float]:
    """Form and rate of what a kernel computes of arrays on the host."""
    found = similarity.native_form(math.prod(elements.shape[1:]), elements.dtype == np.uint8)
    if found is None:
        raise ValueError(f"no kernel computes {similarity}: ask `serve_host` before")
    return found[0], float(found[1])


def _components(points: Any) -> Array:
    """Prepared elements, (n, d): pixels, vectors, or vectors of length one."""
    if isinstance(points, squares.Bytes):
        return points.pixels
    return points.vectors if isinstance(points, squares.Floats) else points


def _form(
    similarity: TiledSimilarity, dimension: int, kind: Any, width: Any
) -> tuple[str, Any] | None:
    """Form and rate of what a kernel computes of elements of a dtype, in a float dtype."""
    of_bytes = kind == np.uint8
    if width != jnp.float32 or not (of_bytes or kind == np.float32):
        return None
    if (of_bytes and dimension > _MOST_PIXELS) or not native.available():
        return None
    return similarity.native_form(dimension, of_bytes)


def traced_product(
    similarity: TiledSimilarity,
    points: Any,
    others: Any,
    weights: Float[Array, "k m"],
    counts: tuple[Array, Array],
) -> Float[Array, "k n"]:
    """Transposed Z w of the first `counts` points and others; see `serve`.

    Args:
        similarity: The similarity that prepared the points.
        points: Prepared elements.
        others: Prepared others, or None for `points`.
        weights: One row for each distribution.
        counts: How many of the points and of the others are elements.

    Returns:
        Zeros for the points that are none.
    """
    of_bytes, d = isinstance(points, squares.Bytes), _dimension(points)
    found = similarity.native_form(d, of_bytes)
    assert found is not None
    form, rate = found
    elements = [_components(x) for x in (points, others) if x is not None]
    centre = [points.centre.value] if isinstance(points, squares.Floats) else []
    if not (of_bytes or centre):
        centre = [jnp.zeros(d, jnp.float32)]
    call = jax.ffi.ffi_call(
        native.target("sums_of_bytes" if of_bytes else "sums_of_floats"),
        jax.ShapeDtypeStruct((len(weights), len(elements[0])), jnp.float32),
        vmap_method="expand_dims",
    )
    rate = jnp.asarray(rate, jnp.float32)
    operands = (*elements, weights, jnp.stack(counts), rate, *centre)
    return alike(call(*operands, form=FORMS.index(form)), weights)
