"""How many elements of each class are to be chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from lcrjax.numerics.inputs import numbers

#: Words for how chosen elements, with those given, are shared out among classes.
BALANCES = ("balanced", "proportional", "free")


def quotas(
    size: int,
    balance: Any,
    pool: Int[np.ndarray, " C"],
    given: Int[np.ndarray, " C"],
    class_names: Sequence[str],
) -> Int[np.ndarray, " C"] | None:
    """Share a selection out among classes.

    Args:
        size: Elements to be chosen.
        balance: "balanced": as many of each class as of any other, with those that are given;
            "proportional": as in the pool; "free": whatever comes; or a number for each class, as
            a list or by name.
        pool: Elements of each class to choose from.
        given: Elements of each class that are there already.
        class_names: C names.

    Returns:
        Elements to be chosen of each class; None for "free". Where they cannot be equal, the
        larger classes of the pool have one more.

    Raises:
        ValueError: If the balance is none of these, counts do not sum to `size`, or a class has
            fewer elements than it would have to give (it is named).
    """
    if isinstance(balance, str):
        if balance not in BALANCES:
            raise ValueError(
                f"the balance is {balance!r}: give one of {', '.join(BALANCES)}, "
                "or how many of each class"
            )
        if balance == "free":
            return None
        wanted = _shared(size, balance, pool, given)
    else:
        wanted = _counts(balance, class_names)
        if wanted.sum() != size:
            raise ValueError(f"the classes' counts sum to {wanted.sum()}, and the size is {size}")
    short = np.flatnonzero(wanted > pool)
    if len(short):
        c = short[0]
        raise ValueError(
            f"class {class_names[c]!r} has {pool[c]} elements to choose from, and {wanted[c]} are "
            f"wanted: choose fewer, or give balance='proportional' or 'free'"
        )
    return wanted


def _shared(size: int, balance: str, pool: np.ndarray, given: np.ndarray) -> np.ndarray:
    weights = np.ones(len(pool)) if balance == "balanced" else pool / pool.sum()
    # One after another to the class that lags most behind its share, the larger class first.
    chosen = np.zeros(len(pool), np.int64)
    for _ in range(size):
        lag = (chosen + given + 0.5) / np.maximum(weights, 1e-300)
        chosen[np.lexsort((-pool, np.round(lag, 9)))[0]] += 1
    return chosen


def _counts(balance: Any, class_names: Sequence[str]) -> np.ndarray:
    if isinstance(balance, Mapping):
        named = {str(name): count for name, count in balance.items()}
        unknown = sorted(set(named) - set(class_names))
        if unknown:
            raise ValueError(
                f"there is no class {unknown[0]!r}: known are {', '.join(class_names)}"
            )
        balance = [named.get(name, 0) for name in class_names]
    found = np.asarray(numbers("counts of classes", balance))
    whole = found.shape == (len(class_names),) and (found == np.rint(found)).all()
    if not whole or (found < 0).any():
        raise ValueError(
            f"the balance is {balance!r}: "
            f"give a whole number for each of {len(class_names)} classes"
        )
    return found.astype(np.int64)
