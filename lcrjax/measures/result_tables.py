"""Numbers of a `Diversity` as one table, which draws and samples compute with."""

from typing import Any

import numpy as np
from jaxtyping import Float

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


def family_table(classes: Any, dataset: Any, balance: Any) -> Table:
    """A table of numbers of classes (measures, Q, C), the dataset (measures, Q), and balance."""
    out = np.full((len(SIGNED), dataset.shape[1], 1 + classes.shape[2]), np.nan)
    out[:-1, :, 0], out[:-1, :, 1:], out[-1, :, 0] = dataset, classes, balance
    return out
