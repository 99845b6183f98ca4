"""Whole numbers that say how many, or seed random numbers, and what is said of others."""

from typing import Any

import numpy as np


def is_whole(value: Any) -> bool:
    """Whether something is a whole number, of Python or NumPy; True and False are none."""
    return not isinstance(value, bool | np.bool_) and hasattr(value, "__index__")


def check_whole(name: str, value: Any, least: int, advice: str) -> None:
    """Check an argument.

    Raises:
        ValueError: If it is no whole number, or below the least, with the advice.
    """
    if not is_whole(value) or value < least:
        raise ValueError(f"{name} is {value!r}: {advice}")


def check_seed(seed: Any) -> None:
    """Check a seed of random numbers.

    Raises:
        ValueError: If it is no whole number from 0 on.
    """
    check_whole("seed", seed, 0, "give a whole number from 0 on")


def whole_number(name: str, value: Any, least: int) -> int:
    """Return a whole number of several of at least `least`, or raise a ValueError."""
    if not is_whole(value) or value < least:
        raise ValueError(f"{name} holds {value!r}: give whole numbers of at least {least}")
    return int(value)
