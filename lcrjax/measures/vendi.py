"""Vendi scores: effective numbers from the eigenvalues of a similarity matrix."""

import math
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.measures import lanczos
from lcrjax.measures.counts import counts_array
from lcrjax.measures.hill import effective_number
from lcrjax.measures.spectrum import (
    Spectrum,
    dense_spectrum,
    gram_spectrum,
    host_vectors,
    products,
    traced_gram_spectrum,
    traced_spectrum,
)
from lcrjax.measures.viewpoints import single_viewpoint
from lcrjax.numerics.arrays import at_hand
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import Identity, Linear, Precomputed, Similarity
from lcrjax.similarity.base import count_elements, taken
from lcrjax.similarity.spec import as_similarity

METHODS = ("auto", "dense", "lanczos")
_LARGEST_MATRIX = 8192  # rows of one whose eigenvalues are all computed unless asked otherwise


def vendi_score(
    elements_or_counts: Any,
    similarity: Any = None,
    q: Any = 1,
    *,
    weights: Any = None,
    method: str = "auto",
    tolerance: float = 1e-2,
) -> Float[Array, ""]:
    r"""Vendi score of order q: the Hill number of the eigenvalues of $\sqrt{p} Z \sqrt{p}$.

    With None or a matrix as similarity, the first argument holds counts. With a `Similarity` that
    compares elements it holds the elements, which count once each unless weights are given.

    Numbers at hand are computed in float64. All eigenvalues come from an n x n matrix, or, of
    `lcrjax.Linear` on vectors (n, d) with d < n, from a (d, d) one. Past 8192 rows, and for q >= 1,
    the Lanczos method finds the largest alone, in bounded memory, by products with Z that never
    store it. It stops as soon as the score is known to the tolerance: whatever those not found are,
    they change it no further, or three standard errors of a sample of them do not.

    An eigenvalue that rounding explains counts as zero: at q = 0 the score is the numerical rank.
    For 0 < q < 1 those may add up. Z has the precision of float64 if it is a matrix of that or is
    computed from `Linear`, `Cosine`, `SameClass`, RMSD and the other kernels of distances, or their
    products; of other similarities, and of traced numbers, it has that of float32 unless 64 bits
    are on.

    Args:
        elements_or_counts: Counts (S,) or (S, C), pooled over classes; or n elements.
        similarity: None for the identity, a symmetric and positive semi-definite matrix (S, S),
            dense, sparse or in a file, a `lcrjax.Similarity`, or a word for one, see
            `parse_similarity`.
        q: Viewpoint in [0, inf]; may be traced.
        weights: Weights of elements, (n,), >= 0; None for one each.
        method: "dense" for all eigenvalues, "lanczos" for the largest, or "auto".
        tolerance: Relative error of the score, above 0. A warning gives the score's bounds where
            the Lanczos method cannot keep it, or for q < 1 eigenvalues are lost in rounding.

    Returns:
        A number from 1 to S.

    Raises:
        ValueError: If the similarity is not symmetric, or has negative eigenvalues beyond rounding
            (checked of numbers at hand), or all eigenvalues of a large matrix are needed and not
            asked for, or counts, weights, q, method or tolerance are not what they should be.

    References:
        Friedman & Dieng (2023); Pasarkar & Dieng (2024) for orders other than one.

    Examples:
        >>> import lcrjax
        >>> import numpy as np
        >>> print(lcrjax.vendi_score(np.ones(4), np.eye(4), 1))
        4.0
    """
    q = single_viewpoint(q)
    _check_options(method, tolerance)
    if isinstance(similarity, str):
        similarity, elements_or_counts, _ = as_similarity(similarity, elements_or_counts)
    compares = isinstance(similarity, Similarity) and not isinstance(
        similarity, Identity | Precomputed
    )
    if compares:
        elements = taken(similarity, elements_or_counts)
        count = count_elements(similarity, elements)
        table, _, names = counts_array(np.ones(count) if weights is None else weights)
    elif weights is not None:
        raise ValueError("weights belong to elements: counts are weights already")
    else:
        elements, (table, _, names) = None, counts_array(elements_or_counts)
        count = len(table)
    if count != len(table):
        raise ValueError(f"there are {count} elements and {len(table)} weights: give one each")
    counts = jnp.sum(table, axis=1)
    share = counts / jnp.sum(counts)
    if similarity is None or isinstance(similarity, Identity):
        return effective_number(np.asarray(share) if at_hand(share) else share, q, share.dtype)
    relation = similarity if isinstance(similarity, Similarity) else Precomputed(similarity)
    if isinstance(relation, Precomputed):
        relation.check(count, names)
    if not at_hand(share, *_arrays(relation, elements)):
        return effective_number(_traced_values(relation, elements, share), q, share.dtype)
    p = np.asarray(counts, np.float64)
    p = p / p.sum()
    if _by_lanczos(relation, elements, count, q, method):
        return jnp.asarray(_by_products(relation, elements, p, q, tolerance), share.dtype)
    if isinstance(relation, Linear) and _dimension(elements) < count:
        found = gram_spectrum(host_vectors(relation, elements), p)
    else:
        found = dense_spectrum(relation, elements, p)
    _warn_of_rounding(found, q, tolerance)
    return effective_number(found.values, q, share.dtype)


def _check_options(method: str, tolerance: float) -> None:
    if method not in METHODS:
        raise ValueError(f"method is {method!r}: give one of {', '.join(METHODS)}")
    if not 0 < tolerance < math.inf:
        raise ValueError(f"tolerance is {tolerance}: give a relative error above 0")


def _arrays(relation: Similarity, elements: Any) -> list[Any]:
    """All that may be traced."""
    parameters = relation.matrix if isinstance(relation, Precomputed) else relation
    if hasattr(parameters, "tocsr") or isinstance(parameters, str):
        return []
    return jax.tree.leaves((parameters, elements))


def _dimension(elements: Any) -> int:
    return math.prod(np.shape(elements)[1:])


def _traced_values(relation: Similarity, elements: Any, share: Array) -> Array:
    n = len(share)
    if isinstance(relation, Linear) and _dimension(elements) < n:
        vectors = jnp.asarray(relation.canonical(elements, None)[1])
        return traced_gram_spectrum(relation.prepare(vectors).astype(share.dtype), share)
    identity = jnp.eye(n, dtype=share.dtype)
    return traced_spectrum(
        zp(relation, identity if elements is None else elements, identity), share
    )


def _by_lanczos(relation: Similarity, elements: Any, n: int, q: Any, method: str) -> bool:
    side = min(n, _dimension(elements)) if isinstance(relation, Linear) else n
    if method == "dense" or (method == "auto" and side <= _LARGEST_MATRIX):
        return False
    if at_hand(q) and float(q) >= 1:
        return True
    order = f"order {float(q):g}" if at_hand(q) else "a traced order"
    raise ValueError(
        f"a score of {order} needs all eigenvalues of a matrix of {side} rows, "
        f"{side**2 * 16 / 1e9:.3g} GB: give method='dense', or q >= 1 for the Lanczos method"
    )


def _by_products(
    relation: Similarity, elements: Any, p: Float[np.ndarray, " n"], q: Any, tolerance: float
) -> float:
    """The score by the Lanczos method."""
    multiply, trace = products(relation, elements, p)
    found = lanczos.estimate(multiply, p > 0, trace, float(q), tolerance)
    if found.error > tolerance:
        warnings.warn(
            f"the Vendi score lies between {found.low:.6g} and {found.high:.6g}, further apart "
            f"than a tolerance of {tolerance:g}: give a larger one, or method='dense'",
            stacklevel=3,
        )
    return found.score


def _warn_of_rounding(found: Spectrum, q: Any, tolerance: float) -> None:
    if not at_hand(q) or not 0 < float(q) < 1:
        return
    least, most = found.hill(float(q)), found.most(float(q))
    if most > (1 + tolerance) * least:
        warnings.warn(
            f"{found.hidden} eigenvalues below {found.floor:.2g} cannot be told from rounding: the "
            f"Vendi score lies between {least:.6g}, which is given, and {most:.6g}",
            stacklevel=3,
        )
