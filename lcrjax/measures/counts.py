"""Counts of elements in classes, in the forms that people have them in."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.inputs import numbers
from lcrjax.numerics.tables import column_names, first_difference, is_default, row_names
from lcrjax.numerics.widths import float_dtype


def counts_array(
    counts: Any,
) -> tuple[Float[Array, "S C"], tuple[str, ...], tuple[Any, ...] | None]:
    """Bring counts into an array and check them, unless they are traced.

    Args:
        counts: An array or table (S, C), an array or column (S,), or a dict of these.

    Returns:
        Counts in a float dtype, names of the classes, and names of the elements where the counts
        are a DataFrame or Series, or a dict that holds one.

    Raises:
        ValueError: If a count is missing, negative, NaN or infinite, a class is empty (both named),
            or two Series of a dict name their elements otherwise.
    """
    names: list[str] | None = None
    elements: tuple[Any, ...] | None = None
    table: Any
    if isinstance(counts, dict):
        names = [str(name) for name in counts]
        table = _stacked(counts)
        elements = _common_names(counts)
    else:
        table = numbers("counts", counts)
        elements = row_names(counts)
        names = column_names(counts)
    if table.ndim == 1:
        table = table[:, None]
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"counts have shape {table.shape}: give (elements, classes)")
    names = names or [str(j) for j in range(table.shape[1])]
    dtype = float_dtype(table)
    if at_hand(table):
        host = np.asarray(table, np.float64)
        _check(host, names, elements)
        table = _within_range(host, names, dtype)
    return jnp.asarray(table, dtype), tuple(names), elements


def _stacked(counts: dict[Any, Any]) -> Any:
    columns = {
        str(name): numbers(f"counts of class {str(name)!r}", column)
        for name, column in counts.items()
    }
    shapes = {name: np.shape(column) for name, column in columns.items()}
    if not shapes or len(set(shapes.values())) > 1 or len(next(iter(shapes.values()))) != 1:
        raise ValueError(f"counts have columns of shapes {shapes}: give each (S,), one S for all")
    return (np if at_hand(*columns.values()) else jnp).stack(list(columns.values()), axis=1)


def _common_names(counts: dict[Any, Any]) -> tuple[Any, ...] | None:
    found: tuple[str, tuple[Any, ...]] | None = None
    for name, column in counts.items():
        rows = row_names(column)
        if rows is None:
            continue
        at = first_difference(found[1], rows) if found else None
        if found and at is not None:
            raise ValueError(
                f"row {at} is {found[1][at]!r} in class {found[0]!r} and {rows[at]!r} in class "
                f"{str(name)!r}: give all classes in one order"
            )
        if found is None or is_default(found[1]):
            found = str(name), rows
    return found[1] if found else None


def _within_range(table: np.ndarray, names: list[str], dtype: Any) -> np.ndarray:
    """Scale counts whose sums the dtype cannot hold; diversity does not depend on the scale."""
    limits, largest = jnp.finfo(dtype), table.max()
    if not float(limits.tiny) / float(limits.eps) < largest < float(limits.max) / table.size:
        table = table / largest
    lost = np.flatnonzero(~table.astype(dtype).any(axis=0))
    if len(lost):
        raise ValueError(
            f"the counts of class {names[lost[0]]!r} vanish beside the largest in {dtype}: "
            "leave it out, or give float64 with x64 on"
        )
    return table


def _check(
    table: Float[np.ndarray, "S C"], names: list[str], elements: tuple[Any, ...] | None
) -> None:
    bad = np.argwhere(~(table >= 0) | np.isinf(table))
    if len(bad):
        i, j = bad[0]
        element = i if elements is None else repr(elements[i])
        raise ValueError(
            f"the count of element {element} in class {names[j]!r} is {table[i, j]:g}: "
            "counts are finite and not negative"
        )
    if not table.any():
        raise ValueError("all counts are zero: there is nothing to measure")
    empty = np.flatnonzero(~table.any(axis=0))
    if len(empty):
        raise ValueError(f"class {names[empty[0]]!r} is empty: leave it out")
