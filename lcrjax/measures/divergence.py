"""Divergence of two distributions over the same elements, similar ones counted together.

The measures are those of sentropy (`sre` and `sce`): similarity-sensitive forms of Rényi's
divergence and of cross entropy, as effective numbers.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.measures.counts import counts_array
from lcrjax.measures.viewpoints import one_or_several
from lcrjax.measures.weighing import weigh_counted
from lcrjax.numerics.arrays import at_hand, namespace
from lcrjax.numerics.groupings import AnyArray, Runs
from lcrjax.numerics.power_means import log_of, log_power_means
from lcrjax.numerics.tables import first_difference
from lcrjax.numerics.widths import float_dtype


def relative_to(
    p: Float[AnyArray, "S A"],
    zp: Float[AnyArray, "S A"],
    zr: Float[AnyArray, "S B"],
    q: Any,
) -> Float[AnyArray, "A B"]:
    """Mean of Zp / Zr of order q - 1 for all pairs of distributions: `relative_diversity`.

    Args:
        p: Abundances, of any sums.
        zp: Their ordinariness.
        zr: Ordinariness of the same elements with respect to the other distributions.
        q: Viewpoint in [0, inf].

    Returns:
        In float64 of NumPy's arrays, and differentiable of jax's.
    """
    return _pair_means(p, log_of(zp), zr, q - 1)


def crossed_with(
    p: Float[AnyArray, "S A"], zr: Float[AnyArray, "S B"], q: Any
) -> Float[AnyArray, "A B"]:
    """Mean of 1 / Zr of order 1 - q for all pairs: `cross_diversity`; as `relative_to`."""
    return _pair_means(p, namespace(p).zeros_like(p), zr, 1 - q)


def _pair_means(p: AnyArray, log_own: AnyArray, zr: AnyArray, order: Any) -> AnyArray:
    """Means of exp(log_own) / Zr, weighted by each distribution, against each of the others."""
    xp, count = namespace(p), zr.shape[1]
    # A quotient of zeros belongs to elements without weight, which drop out.
    rows = xp.where(p > 0, log_own, 0).T.reshape(1, -1) - xp.tile(log_of(zr).T, p.shape[1])
    orders, weights = xp.asarray(order, p.dtype).reshape(1), p.T.reshape(-1)
    means = log_power_means(orders, weights, rows, Runs(p.shape[1], len(p)))
    return xp.exp(means).reshape(count, -1).T


def _means(
    p: Any, r: Any, similarity: Any, q: Any, elements: Any, between: str, relative: bool
) -> Array:
    if between not in ("datasets", "classes"):
        raise ValueError(f"between is {between!r}: give 'datasets' or 'classes'")
    tables = [counts_array(counts) for counts in (p, r)]
    (first, _, names), (second, _, others) = tables
    if len(first) != len(second):
        raise ValueError(
            f"p counts {len(first)} elements and r {len(second)}: count the same ones in both"
        )
    at = first_difference(names, others)
    if names is not None and others is not None and at is not None:
        raise ValueError(
            f"row {at} of p is {names[at]!r} and row {at} of r {others[at]!r}: "
            "give both in one order"
        )
    q = one_or_several(q)
    if between == "datasets":
        first, second = (x.sum(axis=1, keepdims=True) for x in (first, second))
    dtype, columns = float_dtype(first, second), first.shape[1]
    shares = [(x / x.sum(axis=0, keepdims=True)).astype(dtype) for x in (first, second)]
    both = jnp.concatenate(shares, axis=1)
    weighed = weigh_counted(similarity, both, names, elements)
    if at_hand(both, weighed, q):
        p, z = (np.asarray(x, np.float64) for x in (both, weighed))

        def means(order: Any) -> Array:
            viewpoint = np.float64(np.asarray(order, dtype))
            return jnp.asarray(_of_pairs(p, z, viewpoint, columns, relative), dtype)
    else:

        def means(order: Any) -> Array:
            order = jnp.asarray(order, dtype)
            return _of_traced_pairs(both, weighed, order, columns, relative)

    found = jnp.stack([means(order) for order in q]) if q.ndim else means(q)
    return found[..., 0, 0] if between == "datasets" else found


def _of_pairs(
    abundance: AnyArray, weighed: AnyArray, q: Any, columns: int, relative: bool
) -> AnyArray:
    """All pairs of the first so many distributions with the others."""
    p, zp_own, zr = abundance[:, :columns], weighed[:, :columns], weighed[:, columns:]
    return relative_to(p, zp_own, zr, q) if relative else crossed_with(p, zr, q)


_of_traced_pairs = jax.jit(_of_pairs, static_argnums=(3, 4))


def relative_diversity(
    p: Any,
    r: Any,
    similarity: Any = None,
    q: Any = 1,
    *,
    elements: Any = None,
    between: str = "datasets",
) -> Float[Array, "..."]:
    r"""Measure how far p is from r: $M_{q-1}(p, Zp / Zr)$, one for equal distributions.

    At q = 1 and Z = I its log is the Kullback-Leibler divergence.

    Args:
        p: Counts of S elements: (S,) or (S, C), a dict or a DataFrame.
        r: Counts of the same elements.
        similarity: None, a matrix (S, S), a `lcrjax.Similarity`, or a word for one.
        q: Viewpoint in [0, inf], or Q of them; may be traced.
        elements: What the similarity compares, where it is no matrix.
        between: "datasets" pools the classes; "classes" compares each class of p with each of r.

    Returns:
        A number >= 1 for Z = I, or an array (C of p, C of r); of a list of viewpoints one for
        each, (Q,) or (Q, C of p, C of r). Infinite where p has elements that
        nothing in r is like.

    Raises:
        ValueError: If counts, similarity or viewpoint are not what they should be.

    Examples:
        >>> import lcrjax
        >>> print(lcrjax.relative_diversity([0.5, 0.5], [0.25, 0.75], None, 2))
        1.3333334
    """
    return _means(p, r, similarity, q, elements, between, True)


def cross_diversity(
    p: Any,
    r: Any,
    similarity: Any = None,
    q: Any = 1,
    *,
    elements: Any = None,
    between: str = "datasets",
) -> Float[Array, "..."]:
    r"""Measure how diverse p looks to somebody who knows r: $M_{1-q}(p, 1 / Zr)$.

    At q = 1 and Z = I its log is the cross entropy of r relative to p.

    Args:
        p: Counts of S elements: (S,) or (S, C), a dict or a DataFrame.
        r: Counts of the same elements.
        similarity: None, a matrix (S, S), a `lcrjax.Similarity`, or a word for one.
        q: Viewpoint in [0, inf], or Q of them; may be traced.
        elements: What the similarity compares, where it is no matrix.
        between: "datasets" pools the classes; "classes" compares each class of p with each of r.

    Returns:
        A number, or an array (C of p, C of r); of a list of viewpoints one for each, (Q,) or
        (Q, C of p, C of r).

    Raises:
        ValueError: If counts, similarity or viewpoint are not what they should be.

    Examples:
        >>> import lcrjax
        >>> print(lcrjax.cross_diversity([0.5, 0.5], [0.25, 0.75], None, 0))
        2.6666667
    """
    return _means(p, r, similarity, q, elements, between, False)
