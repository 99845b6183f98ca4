"""Viewpoints q, in the forms that people give them in."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.inputs import numbers


def viewpoints(q: Any, dtype: Any) -> Any:
    """Check viewpoints and round them to the dtype; on the host, unless they are traced.

    Raises:
        ValueError: If one is negative, NaN or no real number, or they are no list.
    """
    orders = _checked(q)
    if not at_hand(orders):
        return jnp.atleast_1d(orders).astype(dtype)
    orders = np.atleast_1d(orders)
    if orders.ndim != 1 or not orders.size:
        raise ValueError(f"q has shape {orders.shape}: give one viewpoint or a list of them")
    return orders.astype(dtype)


def single_viewpoint(q: Any) -> Any:
    """Check a single viewpoint; of a traced one, only that it is single.

    Returns:
        The viewpoint in float64, or as it is traced.

    Raises:
        ValueError: If it is negative, NaN, no real number, or more than one.
    """
    order = _checked(q)
    if order.ndim:
        raise ValueError(f"q has shape {order.shape}: give one viewpoint, and vmap over more")
    return order


def one_or_several(q: Any) -> Any:
    """Check a viewpoint or a list of them; of traced ones, only that they are no table.

    Returns:
        Viewpoints of shape () or (Q,), in float64 or as they are traced.

    Raises:
        ValueError: If one is negative, NaN or no real number, or they are no list.
    """
    orders = _checked(q)
    if orders.ndim > 1 or not orders.size:
        raise ValueError(f"q has shape {orders.shape}: give one viewpoint or a list of them")
    return orders


def _checked(q: Any) -> Any:
    given = numbers("viewpoints", q)
    if not at_hand(given):
        return given
    orders = np.asarray(given, np.float64)
    bad = orders[~(orders >= 0)]
    if bad.size:
        raise ValueError(f"q holds {bad[0]}: viewpoints lie in [0, inf]")
    return orders
