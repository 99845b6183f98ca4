"""Hill numbers: effective numbers of elements that have nothing in common."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.measures.viewpoints import single_viewpoint
from lcrjax.numerics.arrays import at_hand, namespace
from lcrjax.numerics.groupings import AnyArray
from lcrjax.numerics.inputs import numbers
from lcrjax.numerics.power_means import mean_along_rows
from lcrjax.numerics.widths import float_dtype


def hill_number(p: Any, q: Any) -> Float[Array, ""]:
    r"""Effective number of elements of order q, none similar to another (paper, equation 1).

    Args:
        p: Relative abundances or counts, >= 0; normalized here.
        q: Viewpoint in [0, inf], may be traced; richness at 0, exponential of Shannon's entropy
            at 1, inverse Simpson index at 2, inverse Berger-Parker index at inf.

    Returns:
        A number from 1 to S.

    Raises:
        ValueError: If `p` is not one-dimensional, lacks a value, holds a negative number, NaN or
            infinity, or nothing but zeros, or `q` is negative, NaN or not a scalar; traced values
            stay unchecked.

    Examples:
        >>> import lcrjax
        >>> print(lcrjax.hill_number([0.5, 0.25, 0.25], 2))
        2.6666667
    """
    given = numbers("abundances", p)
    if given.ndim != 1:
        raise ValueError(f"p has shape {given.shape}: give one abundance for each element")
    dtype, q = float_dtype(given), single_viewpoint(q)
    if not at_hand(given):
        return effective_number(given.astype(dtype), q, dtype)
    abundances = np.asarray(given, np.float64)
    _check_abundances(abundances)
    return effective_number(abundances / abundances.max(), q, dtype)


def effective_number(p: Float[AnyArray, " S"], q: Any, dtype: Any) -> Float[Array, ""]:
    """`hill_number` of abundances that are known to be fit, rounded to a dtype."""
    xp = namespace(p)
    share = p / p.sum()
    items = 1 / xp.where(share > 0, share, 1)
    order = 1 - (np.asarray(q, dtype).astype(np.float64) if at_hand(q) else jnp.asarray(q, dtype))
    return mean_along_rows(order, share, items, dtype)


def _check_abundances(p: Float[np.ndarray, " S"]) -> None:
    bad = np.flatnonzero(~(p >= 0) | np.isinf(p))
    if len(bad):
        raise ValueError(
            f"the abundance of element {bad[0]} is {p[bad[0]]:g}: "
            "abundances are finite and not negative"
        )
    if not p.any():
        raise ValueError("all abundances are zero: there is nothing to measure")
