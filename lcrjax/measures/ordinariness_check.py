"""Check of ordinariness that a similarity of somebody's own has returned."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lcrjax.numerics.arrays import at_hand


def check_ordinariness(weighed: Any, weights: Any, names: tuple[str, ...]) -> None:
    """Refuse what a similarity that returns NaN or negative numbers leaves, unless traced.

    Args:
        weighed: Ordinariness, (S, C).
        weights: Abundances of the elements, (S, C).
        names: C names of classes.

    Raises:
        ValueError: If it is negative or not finite, or zero for an element that is there.
    """
    if not at_hand(weighed, weights):
        return
    found, given = np.asarray(weighed), np.asarray(weights)
    present = given >= jnp.finfo(given.dtype).tiny
    bad = np.argwhere(~(found >= 0) | np.isinf(found) | (present & (found == 0)))
    if len(bad):
        i, j = bad[0]
        raise ValueError(
            f"the similarities of element {i} to class {names[j]!r} add up to {found[i, j]:g}: "
            "similarities are finite and not negative, and that of an element to itself is one"
        )
