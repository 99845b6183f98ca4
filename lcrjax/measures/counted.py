"""Diversity of counted elements in classes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lcrjax.measures.counts import counts_array
from lcrjax.measures.family import family
from lcrjax.measures.resampling import Resampling, resampled
from lcrjax.measures.result import Diversity, result_of
from lcrjax.measures.viewpoints import viewpoints
from lcrjax.measures.weighing import check_ordinariness, weigh_counted
from lcrjax.numerics.arrays import at_hand

_traced_family = jax.jit(family)


def diversity(
    counts: Any,
    similarity: Any = None,
    *,
    q: Any = (0, 1, 2, np.inf),
    elements: Any = None,
    resampling: Resampling | None = None,
) -> Diversity:
    r"""Measure the diversity of counted elements in classes, similar ones counted together.

    Args:
        counts: How often each of S elements occurs in each of C classes, >= 0: an array (S, C)
            or (S,), a dict of arrays (S,) by class, or a table with a column for each class.
        similarity: None for elements that have nothing in common (Hill numbers); a matrix (S, S)
            as array or DataFrame; a `lcrjax.Similarity`, or a word for one, see `parse_similarity`.
        q: One viewpoint or several, in [0, inf].
        elements: What the similarity compares, S of them, where it is no matrix.
        resampling: `lcrjax.Bootstrap()` for intervals, or `lcrjax.Subsets(size)` for the diversity
            at a smaller size; counts are then whole numbers.

    Returns:
        A `Diversity`.

    Raises:
        ValueError: If counts are negative, missing or all zero, a class is empty (named), the
            similarity does not fit the counts, or a viewpoint is negative or NaN.

    References:
        Reeve et al. (2016); paper, equations 3 and 4 and section II-E.

    Examples:
        Two bowls of fruit: three kinds of which two are nearly alike, and three that are not.

        >>> import lcrjax
        >>> import numpy as np
        >>> alike = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.1], [0.1, 0.1, 1.0]])
        >>> D = lcrjax.diversity(np.array([2, 2, 2]), alike, q=1)
        >>> print(round(float(D.dataset_level["alpha"][0]), 3))
        1.778
        >>> D = lcrjax.diversity(np.array([2, 2, 2]), q=1)
        >>> print(round(float(D.dataset_level["alpha"][0]), 3))
        3.0
    """
    table, class_names, element_names = counts_array(counts)
    orders = viewpoints(q, table.dtype)
    whole = np.asarray(table) if at_hand(table) else table  # whose sums nothing compiles
    abundance = jnp.asarray(whole / whole.sum(dtype=table.dtype))
    weighed = weigh_counted(similarity, abundance, element_names, elements)
    check_ordinariness(weighed, abundance, class_names)
    if at_hand(abundance, weighed, q):
        found = family(np.asarray(abundance), np.asarray(weighed), orders)
    else:
        found = _traced_family(abundance, weighed, orders)
    own = result_of(orders, found, class_names)
    if resampling is None:
        return own

    def weigh(weights: Any) -> Any:
        return weigh_counted(similarity, jnp.asarray(weights), element_names, elements)

    return resampled(own, table, weigh, resampling)
