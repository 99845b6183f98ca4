"""Tables in long form, a row for each record, as ecologists have them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lcrjax.numerics.inputs import array

if TYPE_CHECKING:
    import pandas as pd


def from_frame(frame: Any, element: str, class_: str | None = None, count: str | None = None) -> (
    "pd.DataFrame"
):  # fmt: skip
    """Turn a table in long form into counts of elements in classes, which keep their names.

    Args:
        frame: A pandas or polars DataFrame, or anything else whose columns are `frame[name]`.
        element: The column that says which element a row is of, such as a species.
        class_: The column that says in which class, such as a site; None for one class alone.
        count: The column that says how often; None counts every row once.

    Returns:
        Counts, a row for each element and a column for each class, in the order in which they first
        occur; rows of one element in one class are added up, and what does not occur is zero. Whole
        numbers stay such. `lcrjax.diversity` and `lcrjax.rarefy` take it.

    Raises:
        ValueError: If there is no such column or row, a name or count is missing (its place is
            named), or a count is negative or no number.

    Examples:
        >>> import lcrjax
        >>> import pandas as pd
        >>> walk = pd.DataFrame({"bird": ["wren", "tit", "wren"], "wood": ["A", "A", "B"],
        ...                      "seen": [2, 5, 1]})
        >>> print(lcrjax.from_frame(walk, "bird", "wood", "seen"))
        wood  A  B
        bird
        wren  2  1
        tit   5  0
    """
    import pandas as pd

    rows, elements = _numbered(frame, element)
    columns, classes = (
        (np.zeros_like(rows), pd.Index(["all"])) if class_ is None else _numbered(frame, class_)
    )
    if len(columns) != len(rows):
        raise ValueError(
            f"there are {len(rows)} elements and {len(columns)} classes: give one each"
        )
    amounts = np.ones(len(rows)) if count is None else _amounts(frame, count, len(rows))
    shape = (len(elements), len(classes))
    sums = np.bincount(rows * shape[1] + columns, amounts.astype(np.float64), shape[0] * shape[1])
    whole = (count is None or amounts.dtype.kind in "iub") and sums.sum() < 2**53
    table = sums.reshape(shape).astype(np.int64 if whole else np.float64)
    return pd.DataFrame(table, index=elements, columns=classes)


def counted_labels(given: Any) -> Any:
    """Count labels, which are text, of one dataset or of several in a dict; anything else stays."""
    several = given if isinstance(given, dict) else {"0": given}
    if hasattr(given, "columns") or not several or not all(map(_is_text, several.values())):
        return given
    labels = [np.asarray(each).ravel() for each in several.values()]
    of = np.repeat([str(name) for name in several], [len(each) for each in labels])
    return from_frame({"element": np.concatenate(labels), "class": of}, "element", "class")


def _is_text(labels: Any) -> bool:
    return any(isinstance(label, str) for label in np.asarray(labels).ravel()[:1])


def _column(frame: Any, name: str) -> "pd.Series":
    """A column, whatever holds it; nothing in it is missing."""
    import pandas as pd

    try:
        given = frame[name]
    except Exception as error:
        known = list(getattr(frame, "columns", frame))
        raise ValueError(f"there is no column {name!r}: there are {known}") from error
    column = pd.Series(np.asarray(array(f"rows of {name!r}", given, nan=True)))
    if not len(column):
        raise ValueError("the table has no rows: there is nothing to count")
    return column


def _numbered(frame: Any, name: str) -> tuple[np.ndarray, "pd.Index"]:
    import pandas as pd

    codes, distinct = pd.factorize(_column(frame, name))
    return codes.astype(np.int64), pd.Index(distinct, name=name)


def _amounts(frame: Any, name: str, rows: int) -> np.ndarray:
    import pandas as pd

    column = _column(frame, name)
    try:
        amounts = pd.to_numeric(column).to_numpy()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds something else than numbers: {error}") from error
    if column.map(lambda amount: isinstance(amount, str)).any():
        raise ValueError(f"{name} holds text: give numbers")
    bad = np.flatnonzero(~(amounts >= 0) | np.isinf(amounts.astype(np.float64)))
    if len(bad):
        raise ValueError(
            f"row {bad[0]} has {name} {amounts[bad[0]]}: counts are finite and not negative"
        )
    return amounts
