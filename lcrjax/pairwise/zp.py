"""Ordinariness: how similar each element is, on average, to a distribution of elements."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from lcrjax.numerics.tables import native_order
from lcrjax.similarity import RMSD, Similarity
from lcrjax.similarity.precomputed import as_similarity


def ordinariness(
    elements: Any,
    weights: Any,
    similarity: Similarity | None = None,
    *,
    others: Any = None,
    tile: int | None = None,
) -> Float[Array, "n k"]:
    r"""Compute $Z w$ without storing $Z$: $(Zw)_i = \sum_j Z_{ij} w_j$.

    Needs memory for its inputs, its outputs and a few tiles of Z. Works under jit and vmap, and
    has derivatives with respect to elements, weights and the similarity's parameters (finite also
    where elements coincide) that need no more memory. They are those of reverse mode: `jax.jacfwd`,
    `jax.jvp` and `jax.hessian` through it raise a TypeError.

    Args:
        elements: n elements, such as images (n, h, w, c) or vectors (n, d).
        weights: Weights of the others, (m, k) or (m,); for abundances the sum is one.
        similarity: None for RMSD.
        others: m elements to compare with; None for `elements`.
        tile: Largest side of a tile; None chooses by backend. It changes no digit that counts.

    Returns:
        (n, k), or (n,) for weights (m,); float32, or float64 where weights or elements are.

    Raises:
        ValueError: If shapes do not fit, or elements are not what the similarity compares.

    Examples:
        >>> import lcrjax
        >>> import numpy as np
        >>> images = np.array([[0, 0], [255, 255]], np.uint8)
        >>> print(np.round(lcrjax.ordinariness(images, [0.5, 0.5]), 4))
        [0.6839 0.6839]
    """
    similarity = RMSD() if similarity is None else as_similarity(similarity)
    if elements is None:
        raise ValueError("elements are None: give what the similarity compares")
    elements, others = native_order(elements), native_order(others)
    weights = jnp.asarray(native_order(weights))
    dtype = jnp.result_type(jnp.float32, weights)
    for array in (elements, others):
        if getattr(getattr(array, "dtype", None), "kind", "") == "f":
            dtype = jnp.result_type(dtype, jax.dtypes.canonicalize_dtype(array.dtype))
    weights = weights.astype(dtype)
    m = len(elements if others is None else others)
    if weights.ndim not in (1, 2) or len(weights) != m:
        raise ValueError(f"weights have shape {weights.shape}: give ({m},) or ({m}, k)")
    if m == 0 or len(elements) == 0:
        raise ValueError("there are no elements: give one at least")
    table = weights[:, None] if weights.ndim == 1 else weights
    out = similarity.ordinariness(elements, table, others, tile=tile)
    return out[:, 0] if weights.ndim == 1 else out
