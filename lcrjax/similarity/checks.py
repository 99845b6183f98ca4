"""Checks of elements on the host, before any long work starts."""

from typing import Any

import jax
import numpy as np

from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.inputs import numbers


def checked(elements: Any, others: Any) -> tuple[Any, Any]:
    """Check vectors or images on the host: numbers, finite, one shape.

    Raises:
        ValueError: If one of them is not, saying which and where.
    """
    out = [_checked(name, x) for name, x in (("elements", elements), ("others", others))]
    if out[1] is not None and out[0].shape[1:] != out[1].shape[1:]:
        raise ValueError(
            f"elements have shape {out[0].shape} and others {out[1].shape}: "
            "all but the first number must agree"
        )
    return out[0], out[1]


def check_own(own: Any, places: Any, close: float = 1e-5) -> None:
    """Refuse what is no similarity: elements that are not like themselves.

    Args:
        own: Similarities of some elements to themselves.
        places: Their places among the elements.
        close: By how much one may be off.

    Raises:
        ValueError: If one of them is not one.
    """
    off = np.flatnonzero(~(np.abs(np.asarray(own, np.float64) - 1) <= close))
    if len(off):
        raise ValueError(
            f"the similarity of element {places[off[0]]} to itself is {own[off[0]]:g}: "
            "the diagonal must be one; of a distance d give exp(-d)"
        )


def check_positive(name: str, value: Any) -> None:
    """Refuse a parameter of a similarity that is no finite number above 0, unless it is traced.

    Raises:
        ValueError: If it is not.
    """
    if isinstance(value, jax.core.Tracer):
        return
    number = np.asarray(value)
    if number.shape or number.dtype.kind not in "uif" or not 0 < number < np.inf:
        raise ValueError(f"{name} is {value}: give a finite number above 0")


def _checked(name: str, array: Any) -> Any:
    if array is None or not at_hand(array := numbers(name, array)):
        return array
    if array.ndim < 2 or 0 in array.shape[1:]:
        raise ValueError(f"{name} have shape {array.shape}: give (n, ...), one row per element")
    # Others are finite, and stay on the device on which they may lie.
    if array.dtype.kind == "f" and not _surely_finite(host := np.asarray(array)):
        bad = np.argwhere(~np.isfinite(host))
        if len(bad):
            place = tuple(map(int, bad[0]))
            raise ValueError(f"{name} hold NaN or infinity, first at {place}: remove it")
    return array


def _surely_finite(array: np.ndarray) -> bool:
    """Whether one pass over the numbers shows them finite; they may be so where it does not."""
    flat = array.reshape(-1)
    if array.dtype.name in ("float32", "float64"):
        return bool(np.isfinite(np.vdot(flat, flat)))
    return bool(np.isfinite(np.sum(flat, dtype=np.float64)))
