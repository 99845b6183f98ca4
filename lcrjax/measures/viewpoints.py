"""Viewpoints q, in the forms that people give them in."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lcrjax.numerics.arrays import at_hand


def viewpoints(q: Any, dtype: Any) -> Any:
    """Check viewpoints and round them to the dtype; on the host, unless they are traced.

    Raises:
        ValueError: If one is negative, NaN or no real number, or they are no list.
    """
    if not at_hand(q):
        return jnp.atleast_1d(q).astype(dtype)
    orders = np.atleast_1d(_checked(q))
    if orders.ndim != 1 or not orders.size:
        raise ValueError(f"q has shape {orders.shape}: give one viewpoint or a list of them")
    return orders.astype(dtype)


def check_viewpoint(q: Any) -> None:
    """Check a single viewpoint; of a traced one, only that it is single.

    Raises:
        ValueError: If it is negative, NaN, no real number, or more than one.
    """
    if at_hand(q):
        _checked(q)
    if np.ndim(q):
        raise ValueError(f"q has shape {np.shape(q)}: give one viewpoint, and vmap over more")


def _checked(q: Any) -> np.ndarray:
    try:
        orders = np.asarray(q, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"q is {q!r}: viewpoints lie in [0, inf]") from error
    bad = orders[~(orders >= 0)]
    if bad.size:
        raise ValueError(f"q holds {bad[0]}: viewpoints lie in [0, inf]")
    return orders
