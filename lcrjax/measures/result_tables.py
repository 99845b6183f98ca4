"""Numbers of a `Diversity` as one table, which draws and samples compute with."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.family import MEASURES, Family
from lcrjax.measures.result import Diversity, result_of

#: Rows: the measures, and class balance. Columns: the dataset, and its classes.
Table = Float[np.ndarray, "rows Q columns"]
#: Which rows may be negative: they hold numbers where others hold logs.
SIGNED = np.array([*(m.signed for m in MEASURES.values()), False])[:, None, None]


def numbers_and_logs(mixed: Table) -> tuple[Table, Table]:
    """Numbers, and their logs, of a table of logs with numbers where they are signed."""
    with np.errstate(all="ignore"):
        return np.where(SIGNED, mixed, np.exp(mixed)), np.where(SIGNED, np.log(mixed), mixed)


def table_result(q: Any, class_names: tuple[str, ...], numbers: Table, logs: Table) -> Diversity:
    """A `Diversity` at viewpoints q, in their dtype, from numbers and their logs."""
    family = Family(
        numbers[:-1, :, 1:], numbers[:-1, :, 0], logs[:-1, :, 1:], logs[:-1, :, 0],
        numbers[-1, :, 0],
    )  # fmt: skip
    return result_of(np.asarray(q), family, class_names)


def mixed_table(found: Family) -> Table:
    """A table of logs, with numbers where they are signed, of one dataset's family."""
    numbers = family_table(found.class_numbers, found.dataset_numbers, found.class_balance)
    logs = family_table(found.class_entropies, found.dataset_entropies, np.log(found.class_balance))
    return np.where(SIGNED, numbers, logs)


def family_table(classes: Any, dataset: Any, balance: Any) -> Table:
    """A table of numbers of classes (measures, Q, C), the dataset (measures, Q), and balance."""
    out = np.full((len(SIGNED), dataset.shape[1], 1 + classes.shape[2]), np.nan)
    out[:-1, :, 0], out[:-1, :, 1:], out[-1, :, 0] = dataset, classes, balance
    return out


def estimate_result(
    q: Any,
    class_names: tuple[str, ...],
    present: Int[np.ndarray, " P"],
    value: Table,
    error: Table,
    lower: Table,
    upper: Table,
    *,
    rows: int,
    columns: int | None = None,
) -> Diversity:
    """A `Diversity` with intervals.

    Args:
        q: Viewpoints.
        class_names: Of all classes.
        present: Which of them the tables have; the others are NaN.
        value: Logs, and numbers where they are signed.
        error: Standard errors of these.
        lower: Lower ends of intervals for these.
        upper: Upper ends.
        rows: Elements that it is from.
        columns: Others that these were compared with; None for all.
    """
    numbers, logs = numbers_and_logs(value)
    with np.errstate(all="ignore"):
        of_logs = np.where(SIGNED, error / np.exp(logs), error)  # NaN where there is no log
    errors = np.where(SIGNED, error, error * numbers), of_logs
    parts = ((numbers, logs), errors, *map(numbers_and_logs, (lower, upper)))

    def placed(table: Table) -> Float[np.ndarray, "rows Q all_columns"]:
        out = np.full((*table.shape[:2], 1 + len(class_names)), np.nan)
        out[..., [0, *(1 + present)]] = table
        return out

    own, spread, low, high = (table_result(q, class_names, *map(placed, part)) for part in parts)
    return dataclasses.replace(
        own, standard_error=spread, lower=low, upper=high, rows=rows, columns=columns
    )
