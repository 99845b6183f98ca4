"""Names of rows and columns of tables, in the forms that people have them in."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def is_labelled(table: Any) -> bool:
    """Whether it is a DataFrame or a Series: something with an index."""
    return hasattr(table, "iloc") and hasattr(table, "index")


def row_names(table: Any) -> tuple[Any, ...] | None:
    """Names of the rows of a DataFrame or Series, also where they are 0, 1, 2, ...; else None."""
    return tuple(table.index) if is_labelled(table) else None


def column_names(table: Any) -> list[str] | None:
    """Names of the columns of a table of pandas, polars or PyArrow; else None."""
    names = getattr(table, "column_names", getattr(table, "columns", None))
    return None if names is None else [str(name) for name in names]


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
