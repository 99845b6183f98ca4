"""Numbers and names of tables in the forms that people have them in."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np


def is_labelled(table: Any) -> bool:
    """Whether it is a DataFrame or a Series: something with an index."""
    return hasattr(table, "to_numpy") and hasattr(table, "index")


def numbers(what: str, table: Any) -> Any:
    """Bring a table into an array of numbers in the machine's byte order; jax arrays stay.

    Raises:
        ValueError: If it holds something else than real numbers; a missing number is NaN.
    """
    if isinstance(table, jax.Array):
        return table
    array = table.to_numpy() if is_labelled(table) else np.asarray(table)
    if array.dtype == object and not any(isinstance(x, str | bytes) for x in array.flat):
        try:
            missing = {"dtype": np.float64, "na_value": np.nan}
            array = table.to_numpy(**missing) if is_labelled(table) else array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{what} have dtype object: give numbers ({error})") from error
    if array.dtype.kind not in "iufb":
        raise ValueError(f"{what} have dtype {array.dtype}: give numbers")
    return native_order(array)


def native_order(array: Any) -> Any:
    """Turn numbers of the other byte order, as in FITS files, round: jax takes none; else as is."""
    if not isinstance(array, np.ndarray) or array.dtype.isnative:
        return array
    return array.astype(array.dtype.newbyteorder("="))


def row_names(table: Any) -> tuple[Any, ...] | None:
    """Names of the rows of a DataFrame or Series, also where they are 0, 1, 2, ...; else None."""
    return tuple(table.index) if is_labelled(table) else None


def is_default(names: Sequence[Any]) -> bool:
    """Whether names only number the rows, as pandas does where nobody names them."""
    return list(names) == list(range(len(names)))


def first_difference(names: Sequence[Any] | None, others: Sequence[Any] | None) -> int | None:
    """The first row named otherwise in two tables of one length, or None.

    Rows that are merely numbered agree with any names but other numbers.
    """
    if names is None or others is None or list(names) == list(others):
        return None
    for one, other in ((names, others), (others, names)):
        if is_default(one) and not all(isinstance(name, int | np.integer) for name in other):
            return None
    return next(i for i, (a, b) in enumerate(zip(names, others, strict=True)) if a != b)
