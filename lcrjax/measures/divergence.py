"""How two distributions over the same elements differ, similar elements counted together.

The measures are those of sentropy (`sre` and `sce`): similarity-sensitive forms of Rényi's
divergence and of cross entropy, as effective numbers.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jax.typing import ArrayLike
from jaxtyping import Float

from lcrjax.measures.counts import counts_array
from lcrjax.measures.viewpoints import check_viewpoint
from lcrjax.numerics import double_word as dw
from lcrjax.numerics.power_means import Columns, log_power_mean
from lcrjax.numerics.tables import first_difference
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import Identity, Precomputed
from lcrjax.similarity.precomputed import as_similarity


@partial(jax.jit, static_argnames="relative")
def _pair_means(
    p: Float[Array, "S A"],
    zp: Float[Array, "S A"],
    zr: Float[Array, "S B"],
    q: Float[Array, ""],
    relative: bool,
) -> Float[Array, "A B"]:
    """Mean of Zp / Zr of order q - 1, or of 1 / Zr of order 1 - q, of all pairs of classes."""
    # XLA would spend minutes folding pairs of floats where distributions are constants of a jit.
    p, zp, zr = lax.optimization_barrier((p, zp, zr))
    wide = p.dtype == jnp.float32
    log_p, log_r = dw.logarithm(zp, wide), dw.logarithm(zr, wide)
    order = q - 1 if relative else 1 - q

    def one(weights: Array, own: dw.Pair, other: dw.Pair) -> Array:
        alone = other.hi == -jnp.inf  # elements that nothing in r is like
        known = dw.where(alone, dw.pair(jnp.zeros_like(other.hi), other), other)
        log = dw.subtract(own, known) if relative else dw.negative(known)
        log = dw.where(alone, dw.pair(jnp.full_like(other.hi, jnp.inf), log), log)
        log = jax.tree.map(lambda part: part[:, None], log)
        # 0 / 0 where neither distribution has anything alike: such elements carry no weight.
        log = jax.tree.map(lambda part: jnp.where(weights[:, None] > 0, part, 0), log)
        return dw.exponential(log_power_mean(order, weights[:, None], log, Columns()))[0, 0]

    # In a loop and not by vmap, which XLA compiles for minutes; see `family`.
    n_other = zr.shape[1]
    each = lax.map(
        lambda t: one(
            p[:, t // n_other],
            jax.tree.map(lambda part: part[:, t // n_other], log_p),
            jax.tree.map(lambda part: part[:, t % n_other], log_r),
        ),
        jnp.arange(p.shape[1] * n_other),
    )
    return each.reshape(-1, n_other)


def _means(
    p: Any, r: Any, similarity: Any, q: ArrayLike, elements: Any, between: str, relative: bool
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
    if elements is not None and len(elements) != len(first):
        raise ValueError(
            f"there are {len(elements)} elements but {len(first)} rows of counts: give one each"
        )
    check_viewpoint(q)
    relation = Identity() if similarity is None else as_similarity(similarity)
    if isinstance(relation, Precomputed):
        relation.check(len(first), names)
    elif not isinstance(relation, Identity) and elements is None:
        raise ValueError(f"a {type(relation).__name__} compares elements: give them as elements=")
    if between == "datasets":
        first, second = (jnp.sum(x, axis=1, keepdims=True) for x in (first, second))
    first, second = (x / jnp.sum(x, axis=0) for x in (first, second))
    both = jnp.concatenate([first, second], axis=1)
    weighed = zp(relation, both if elements is None else elements, both)
    columns = first.shape[1]
    means = _pair_means(
        first, weighed[:, :columns], weighed[:, columns:], jnp.asarray(q, first.dtype), relative
    )
    return means[0, 0] if between == "datasets" else means


def relative_diversity(
    p: Any,
    r: Any,
    similarity: Any = None,
    q: ArrayLike = 1,
    *,
    elements: Any = None,
    between: str = "datasets",
) -> Float[Array, "..."]:
    r"""Measure how far p is from r: $M_{q-1}(p, Zp / Zr)$, one for equal distributions.

    At q = 1 and Z = I its log is the Kullback-Leibler divergence.

    Args:
        p: Counts of S elements: (S,) or (S, C), a dict or a DataFrame.
        r: Counts of the same elements.
        similarity: None, a matrix (S, S), or a `lcrjax.Similarity`.
        q: Viewpoint in [0, inf]; may be traced.
        elements: What the similarity compares, where it is no matrix.
        between: "datasets" pools the classes; "classes" compares each class of p with each of r.

    Returns:
        A number >= 1 for Z = I, or an array (C of p, C of r). Infinite where p has elements that
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
    q: ArrayLike = 1,
    *,
    elements: Any = None,
    between: str = "datasets",
) -> Float[Array, "..."]:
    r"""Measure how diverse p looks to somebody who knows r: $M_{1-q}(p, 1 / Zr)$.

    At q = 1 and Z = I its log is the cross entropy of r relative to p.

    Args:
        p: Counts of S elements: (S,) or (S, C), a dict or a DataFrame.
        r: Counts of the same elements.
        similarity: None, a matrix (S, S), or a `lcrjax.Similarity`.
        q: Viewpoint in [0, inf]; may be traced.
        elements: What the similarity compares, where it is no matrix.
        between: "datasets" pools the classes; "classes" compares each class of p with each of r.

    Returns:
        A number, or an array (C of p, C of r).

    Raises:
        ValueError: If counts, similarity or viewpoint are not what they should be.

    Examples:
        >>> import lcrjax
        >>> print(lcrjax.cross_diversity([0.5, 0.5], [0.25, 0.75], None, 0))
        2.6666667
    """
    return _means(p, r, similarity, q, elements, between, False)
