"""Numeric columns of a table, checked, without the rows in which a value is missing."""

import dataclasses
import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int


@dataclasses.dataclass(frozen=True, eq=False)
class Columns:
    """Complete rows of some columns.

    Attributes:
        names: Names of the columns.
        values: Their values in float64.
        rows: Positions in the table of the rows kept.
        n_missing: Number of rows left out because a value is missing.
    """

    names: tuple[str, ...]
    values: Float[np.ndarray, "n c"]
    rows: Int[np.ndarray, " n"]
    n_missing: int


def complete_columns(
    table: pd.DataFrame, logged: Sequence[str], plain: Sequence[str] = ()
) -> Columns:
    """Take columns out of a table, `plain` ones first, and check them.

    Args:
        table: One row per subset.
        logged: Columns whose logs will be taken: they must be positive.
        plain: Columns that may have any sign.

    Returns:
        The columns' complete rows; none of them is infinite.

    Raises:
        ValueError: If a column is absent, named twice, no number, infinite, or zero or negative
            where its log will be taken; or if no complete row is left.
    """
    names = (*plain, *logged)
    for name in names:
        if name not in table.columns:
            near = difflib.get_close_matches(str(name), [str(c) for c in table.columns], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"The table has no column {name!r}{hint}")
        if names.count(name) > 1:
            raise ValueError(f"Column {name!r} is named more than once; name each column once")
    values = np.empty((len(table), len(names)), order="F")
    for j, name in enumerate(names):
        try:
            values[:, j] = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Column {name!r} holds something else than numbers: {error}"
            ) from error

    rows = np.arange(len(values))
    if not len(values) or np.isnan(values.min(axis=0)).any():
        missing = np.isnan(values)
        rows = np.flatnonzero(~missing.any(axis=1))
    if not len(rows):
        counts = missing.sum(axis=0)
        worst = f": column {names[int(np.argmax(counts))]!r} is missing in {counts.max()}"
        raise ValueError(f"No complete row among {len(values)}{worst if len(values) else ''}")
    n_missing = len(values) - len(rows)
    values = values[rows] if n_missing else values

    lowest, highest = values.min(axis=0), values.max(axis=0)
    infinite = np.isinf(lowest) | np.isinf(highest)
    if infinite.any():
        name = names[int(np.argmax(infinite))]
        raise ValueError(f"Column {name!r} holds an infinite value; repair or remove those rows")
    lowest = lowest[len(plain) :]
    if len(lowest) and lowest.min() <= 0:
        j = int(np.argmin(lowest))
        raise ValueError(
            f"Column {logged[j]!r} holds {lowest[j]:g}, which has no logarithm: "
            "remove those rows or leave the column out"
        )
    return Columns(names, values, rows, n_missing)
