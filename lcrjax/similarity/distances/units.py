"""Vectors about a centre, in a unit in which their squares neither overflow nor underflow.

A distance knows no origin, and its unit is as good as any: what is done here changes rounding
alone. Units are powers of two, so that they change no digit.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike

from lcrjax.numerics.arrays import at_hand, namespace
from lcrjax.numerics.widths import float_dtype

_LEAST, _MOST = -4, 40  # exponents of the largest component between which vectors stay as they are
_WANTED = 24  # and that it gets elsewhere: far from where any kernel's numbers end
_SAMPLE = 64  # vectors whose middle is the centre
_VALUES_AT_ONCE = 2**20  # narrowed


def in_own_unit(elements: Any, others: Any, scaled: bool = True) -> tuple[Any, Any, Any]:
    """Bring vectors into the range and the digits of the float dtype that computes with them.

    Vectors at hand in more digits than that dtype has are taken about their middle, in float64,
    before they are rounded to it: each component then is off by at most 2^-24 (float32) of its
    distance from there. Vectors that need neither this nor another unit are not copied.

    Args:
        elements: Numbers (n, ...), finite; may be traced.
        others: Numbers (m, ...), in the same unit; or None.
        scaled: Whether the unit may change.

    Returns:
        Both, divided by 2^e, and the whole number e; it is traced if one of them is, and has no
        derivative.
    """
    given = [x for x in (elements, others) if x is not None]
    dtype = float_dtype(*given)
    if at_hand(*given):
        found, exponent = _at_hand([np.asarray(x) for x in given], dtype, scaled)
        given = given if found is None else found
    else:
        given, exponent = [jnp.asarray(x, dtype) for x in given], 0
        if scaled:
            largest = jnp.stack([jnp.max(jnp.abs(x), initial=0) for x in given])
            exponent = _unit(jnp.frexp(lax.stop_gradient(jnp.max(largest)))[1])
            given = [times_power(x, -exponent) for x in given]
    return given[0], None if others is None else given[1], exponent


def times_power(x: ArrayLike, exponent: Any) -> Any:
    """`x 2^exponent`: of a number at hand in float64, of a traced array in its dtype."""
    if at_hand(x, exponent):
        return float(np.ldexp(np.asarray(x, np.float64), exponent))
    number = jnp.asarray(x, float_dtype(x))
    limits = jnp.finfo(number.dtype)
    kind = jnp.int32 if number.dtype == jnp.float32 else jnp.int64
    biased = jnp.clip(jnp.asarray(exponent, kind), limits.minexp, limits.maxexp - 1)
    power = lax.bitcast_convert_type((biased - limits.minexp + 1) << limits.nmant, number.dtype)
    return number * power


def is_wide(x: Any, dtype: np.dtype) -> bool:
    """Whether numbers may have more digits, or a wider range, than a float dtype."""
    return not np.can_cast(x.dtype, dtype) or _of_64_bits(x)


def _unit(exponent: Any) -> Any:
    """Exponent of the unit, from that of the largest component (of zero and infinity it is 0)."""
    usual = (exponent >= _LEAST) & (exponent <= _MOST)
    return namespace(exponent).where(usual, 0, exponent - _WANTED)


def _at_hand(
    given: list[np.ndarray], dtype: np.dtype, scaled: bool
) -> tuple[list[np.ndarray] | None, int]:
    """Vectors in their dtype and unit, or None where they may stay; and the unit's exponent."""
    flat = [x.reshape(len(x), -1) for x in given]
    if _overflow(flat):
        flat = [x.astype(np.float64) for x in flat]
    wide = any(is_wide(x, dtype) for x in flat)
    sample = flat[0][:: -(-len(flat[0]) // _SAMPLE)]
    middle = np.partition(sample, len(sample) // 2, axis=0)[len(sample) // 2] if wide else None
    ends = [np.stack([x.min(axis=0), x.max(axis=0)]) for x in flat]
    largest = np.max([np.max(np.abs(_half_gap(x, middle))) for x in ends])
    exponent = int(_unit(np.frexp(largest)[1] + (largest > 0))) if scaled else 0
    if not (wide or exponent):
        return None, 0
    rows = max(1, _VALUES_AT_ONCE // flat[0].shape[1])
    out = []
    for x in flat:
        narrow = np.empty(x.shape, dtype)
        for start in range(0, len(x), rows):
            part = slice(start, start + rows)
            narrow[part] = np.ldexp(_half_gap(x[part], middle), 1 - exponent)
        out.append(narrow)
    return [x.reshape(old.shape) for x, old in zip(out, given, strict=True)], exponent


def _of_64_bits(x: Any) -> bool:
    return x.dtype.kind in "iu" and x.dtype.itemsize == 8


def _overflow(flat: list[np.ndarray]) -> bool:
    """Whether there are integers of 64 bits whose differences have more."""
    if not all(_of_64_bits(x) for x in flat):
        return False
    return max(int(x.max()) for x in flat) - min(int(x.min()) for x in flat) >= 2**63


def _half_gap(x: np.ndarray, middle: np.ndarray | None) -> np.ndarray:
    """Half of the differences from the middle, which are finite, in float64."""
    if middle is None:
        return np.asarray(x, np.float64) / 2
    if _of_64_bits(x) and _of_64_bits(middle):  # which float64 does not hold, unlike their gaps
        return (x.astype(np.uint64) - middle[None].astype(np.uint64)).astype(np.int64) / 2
    return np.asarray(x, np.float64) / 2 - np.asarray(middle, np.float64)[None] / 2
