"""Complete cases of a table: rows without a missing value in the columns that matter."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lcrjax.study.suggestion import nearest


def select_complete_cases(
    table: pd.DataFrame, logged: Sequence[str], plain: Sequence[str] = ()
) -> tuple[Float[np.ndarray, "n c"], Int[np.ndarray, " n"]]:
    """Take columns out of a table, `plain` ones first, and check them.

    Args:
        table: One row per subset.
        logged: Columns whose logs will be taken: they must be positive.
        plain: Columns that may have any sign.

    Returns:
        The columns' complete rows in float64, none of them infinite, and the rows' positions in
        the table.

    Raises:
        ValueError: If a column is absent, named twice, no number, infinite, or zero or negative
            where its log will be taken; or if no complete row is left.
    """
    names = (*plain, *logged)
    for name in names:
        if name not in table.columns:
            hint = nearest(name, table.columns)
            raise ValueError(f"the table has no column {name!r}: {hint}")
        if names.count(name) > 1:
            raise ValueError(f"column {name!r} is named more than once: name each column once")
    values = np.empty((len(table), len(names)), order="F")
    for j, name in enumerate(names):
        try:
            values[:, j] = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"column {name!r} holds something else than numbers ({error}): give numbers"
            ) from error

    rows = np.arange(len(values))
    if not len(values) or np.isnan(values.min(axis=0)).any():
        missing = np.isnan(values)
        rows = np.flatnonzero(~missing.any(axis=1))
    if not len(rows):
        counts = missing.sum(axis=0)
        worst = f"; column {names[int(np.argmax(counts))]!r} is missing in {counts.max()}"
        raise ValueError(
            f"no complete row among {len(values)}{worst if len(values) else ''}: "
            "add subsets that have all values, or leave columns out"
        )
    values = values if len(rows) == len(values) else values[rows]

    lowest, highest = values.min(axis=0), values.max(axis=0)
    infinite = np.isinf(lowest) | np.isinf(highest)
    if infinite.any():
        name = names[int(np.argmax(infinite))]
        raise ValueError(f"column {name!r} holds an infinite value: repair or remove those rows")
    lowest = lowest[len(plain) :]
    if len(lowest) and lowest.min() <= 0:
        j = int(np.argmin(lowest))
        raise ValueError(
            f"column {logged[j]!r} holds {lowest[j]:g}, which has no logarithm: "
            "remove those rows or leave the column out"
        )
    return values, rows
