"""Numbers of estimates as people read them: with the reach of their intervals, or as bounds."""

import math
from collections.abc import Callable


def readable(
    value: float,
    low: float,
    high: float,
    bound: bool,
    number: Callable[[float], str] = "{:.4g}".format,
) -> str:
    """Write a value with its interval where there is one, or as the bound that it is.

    Args:
        value: An estimate.
        low: The lower end of its interval.
        high: The upper end.
        bound: Whether the value is no more than one of these ends.
        number: What writes a number without an interval.

    Returns:
        Such as "13.21 ±0.02", where ± reaches to the farther end; "≤ 37" or "≥ 0.5" of a bound.
    """
    if bound:
        return f"≤ {number(value)}" if high - value < value - low else f"≥ {number(value)}"
    half = max(high - value, value - low)
    if not half > 0:
        return number(value)
    if math.isinf(half):
        return f"{number(value)} ±{half:.2g}"
    places = max(0, 1 - math.floor(math.log10(half)))
    return f"{value:.{places}f} ±{half:.{places}f}"
