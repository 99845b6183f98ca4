"""Vendi scores: effective numbers from the eigenvalues of a similarity matrix."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.measures.counts import counts_array
from lcrjax.measures.hill import effective_number
from lcrjax.measures.viewpoints import single_viewpoint
from lcrjax.numerics.arrays import at_hand
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import Identity, Linear, Precomputed, Similarity
from lcrjax.similarity.base import count_elements, taken
from lcrjax.similarity.spec import as_similarity


@jax.jit
def spectrum(z: Float[Array, "S S"], weights: Float[Array, " S"]) -> Float[Array, " S"]:
    r"""Eigenvalues of $\sqrt{p} Z \sqrt{p}$, scaled to sum one, negative ones (rounding) cut."""
    root = jnp.sqrt(weights)
    values = jnp.maximum(jnp.linalg.eigvalsh(root[:, None] * z * root[None, :]), 0)
    return values / jnp.sum(values)


@jax.jit
def linear_spectrum(
    vectors: Float[Array, "S d"], weights: Float[Array, " S"]
) -> Float[Array, " d"]:
    r"""The same for $Z = X X^T$, from the (d, d) matrix $X^T \mathrm{diag}(p) X$."""
    scaled = jnp.sqrt(weights)[:, None] * vectors
    gram = jnp.matmul(scaled.T, scaled, precision=jax.lax.Precision.HIGHEST)
    values = jnp.maximum(jnp.linalg.eigvalsh(gram), 0)
    return values / jnp.sum(values)


def vendi_score(
    elements_or_counts: Any,
    similarity: Any = None,
    q: Any = 1,
    *,
    weights: Any = None,
) -> Float[Array, ""]:
    r"""Vendi score of order q: the Hill number of the eigenvalues of $\sqrt{p} Z \sqrt{p}$.

    With None or a matrix as similarity, the first argument holds counts. With a `Similarity` that
    compares elements it holds the elements, which count once each unless weights are given.
    `lcrjax.Linear` on vectors (n, d) needs a (d, d) matrix alone where d < n.

    Args:
        elements_or_counts: Counts (S,) or (S, C), pooled over classes; or n elements.
        similarity: None for the identity, a symmetric matrix (S, S), a `lcrjax.Similarity`,
            or a word for one, see `parse_similarity`.
        q: Viewpoint in [0, inf]; may be traced.
        weights: Weights of elements, (n,), >= 0; None for one each.

    Returns:
        A number from 1 to S.

    Raises:
        ValueError: If the similarity is not symmetric, or counts, weights, or q are not what they
            should be.

    References:
        Friedman & Dieng (2023); Pasarkar & Dieng (2024) for orders other than one.

    Examples:
        >>> import lcrjax
        >>> import numpy as np
        >>> print(lcrjax.vendi_score(np.ones(4), np.eye(4), 1))
        4.0
    """
    q = single_viewpoint(q)
    if isinstance(similarity, str):
        similarity, elements_or_counts, _ = as_similarity(similarity, elements_or_counts)
    compares = isinstance(similarity, Similarity) and not isinstance(
        similarity, Identity | Precomputed
    )
    if compares:
        elements = taken(similarity, elements_or_counts)
        count = count_elements(similarity, elements)
        table, _, _ = counts_array(np.ones(count) if weights is None else weights)
    elif weights is not None:
        raise ValueError("weights belong to elements: counts are weights already")
    else:
        table, _, names = counts_array(elements_or_counts)
    counts = jnp.sum(table, axis=1)
    share = counts / jnp.sum(counts)
    n = len(share)
    if compares and count != n:
        raise ValueError(f"there are {count} elements and {n} weights: give one each")
    shape: tuple[int, ...] = np.shape(elements) if isinstance(similarity, Linear) else ()
    if isinstance(similarity, Linear) and len(shape) == 2 and shape[1] < n:
        vectors = jnp.asarray(similarity.canonical(elements, None)[1])
        values = linear_spectrum(similarity.prepare(vectors).astype(share.dtype), share)
    elif similarity is None or isinstance(similarity, Identity):
        values = share
    else:
        relation = similarity if isinstance(similarity, Similarity) else Precomputed(similarity)
        if isinstance(relation, Precomputed):
            relation.check(n, names)
        identity = jnp.eye(n, dtype=share.dtype)
        z = zp(relation, elements if compares else identity, identity)
        if at_hand(z):
            _check_symmetry(np.asarray(z))
        values = spectrum(z, share)
    if values is not share:
        # Eigenvalues at the level of rounding would count as elements at q = 0.
        floor = n * jnp.finfo(values.dtype).eps * jnp.max(values)
        values = jnp.where(values > floor, values, 0)
        values = values / jnp.sum(values)
    if at_hand(values):
        values = np.asarray(values, np.float64)
    return effective_number(values, q, share.dtype)


def _check_symmetry(z: np.ndarray) -> None:
    off = np.abs(z - z.T)
    if off.max() > 1e-4:
        i, j = np.unravel_index(off.argmax(), off.shape)
        raise ValueError(
            f"Z[{i}, {j}] is {z[i, j]:g} and Z[{j}, {i}] is {z[j, i]:g}: "
            "a Vendi score needs a symmetric similarity"
        )
