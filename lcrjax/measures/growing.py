"""Samples that grow until an estimate is as precise as was asked for."""

import math
import warnings
from collections.abc import Callable

import numpy as np

from lcrjax.measures.result import Diversity

#: Elements up to which all pairs are compared without being asked for; beyond, that is minutes.
ALL_PAIRS = 200_000

_FIRST = 256  # rows of the first round
_ASKED = ("alpha", "normalized_rho", "gamma")  # A, R and G have that error
_SAFE = 1.2  # times the rows that an error seems to need
_LAST = 4  # before it is given up, one in so many of the rows that are possible are looked at


def grown(
    once: Callable[[int, int], Diversity],
    count: int,
    classes: int,
    error: float,
    columns: int | None = None,
) -> Diversity | None:
    """Draw larger and larger samples until the intervals of the dataset's A, R and G are narrow.

    Args:
        once: An estimate from so many rows and columns.
        count: How many elements there are, n.
        classes: Their classes.
        error: Half the width of the intervals at finite viewpoints, relative to their values.
        columns: Columns of the first sample, which grow as rows do; None for all elements.

    Returns:
        The first that is so precise; None where half of the elements as rows are not enough.

    Raises:
        ValueError: If there are more than `ALL_PAIRS` elements, and samples of fewer pairs than
            so many have are not enough.
    """
    asked = first = min(count // 4, max(_FIRST, 16 * classes))

    def beside(rows: int) -> int:
        """Columns of a sample of so many rows."""
        return count if columns is None else min(count, math.ceil(columns * rows / max(first, 1)))

    def possible(rows: int) -> bool:
        return rows < count // 2 and rows * beside(rows) <= ALL_PAIRS**2

    most = first
    while possible(most + most // 16 + 1):
        most += most // 16 + 1
    rows, best = 0, math.inf
    while asked <= most and asked < count // 2:
        found = once(asked, beside(asked))
        rows = found.rows or asked  # more, where classes are to have some each
        best = min(best, reached := _relative_error(found))
        if reached <= error:
            return found
        asked = int(rows * np.clip(_SAFE * (reached / error) ** 2, 1.5, 8))
        if asked > most and most // _LAST > rows:  # small samples tell badly what is needed
            asked = most // _LAST
    if not rows:
        return None
    within = min(best, best * math.sqrt(_SAFE * rows / most))
    pairs = f"{count * (count - 1) // 2:,} pairs"
    said = f"error is {error:g}, and {rows:,} of {count:,} elements reached {best:.2g}: "
    if count > ALL_PAIRS:
        raise ValueError(
            f"{said}give {within:.2g} or more, which {most:,} may reach, or leave error out to "
            f"compare all {pairs}"
        )
    warnings.warn(
        f"{said}all {pairs} are compared; for an estimate give {within:.2g} or more",
        stacklevel=4,
    )
    return None


def _relative_error(found: Diversity) -> float:
    """The widest half of the intervals of the dataset's A, R and G, over their values."""
    finite = np.isfinite(np.asarray(found.q))
    value = np.stack([np.asarray(found.dataset_level[name])[finite] for name in _ASKED])
    ends = (found.lower, found.upper)
    widest = [
        abs(np.stack([np.asarray(end.dataset_level[name])[finite] for name in _ASKED]) / value - 1)
        for end in ends
        if end is not None
    ]
    return float(np.max(widest))
