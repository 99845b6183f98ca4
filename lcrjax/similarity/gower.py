"""Gower's similarity of rows of a table: numbers, ranks and categories, some of them missing."""

import dataclasses
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float, Int

from lcrjax.numerics.inputs import check_apart
from lcrjax.similarity.base import TiledSimilarity
from lcrjax.similarity.distances.squares import diagonal


class Columns(NamedTuple):
    """Rows of a table as arrays: columns of numbers in units of their ranges, and of categories.

    Attributes:
        numbers: (n, a) floats, NaN where missing.
        categories: (n, b) numbers of categories, -1 where missing.
    """

    numbers: Float[Array, "n a"] | Float[np.ndarray, "n a"]
    categories: Int[Array, "n b"] | Int[np.ndarray, "n b"]


class Gower(TiledSimilarity):
    r"""Gower's similarity of the rows of a table, a mean over columns that neither lacks.

    $Z_{ij} = \sum_k \delta_{ijk} s_{ijk} / \sum_k \delta_{ijk}$, where $\delta_{ijk}$ is 1 if
    neither row lacks column k, else 0. Of numbers (dates too) $s_{ijk} = 1 - |x_{ik} - x_{jk}| /
    R_k$ with the column's range $R_k$; of an ordered categorical the same of its ranks; of what is
    left, such as strings, booleans and categories without an order, 1 if equal and 0 if not. Rows
    that have no column in common are unlike.

    Elements are a pandas table, whose dtypes say what a column is, or an array (n, d) of numbers.

    Attributes:
        ranges: For each column of numbers or ranks its name, least and greatest value, as
            `Gower.of` finds them; values beyond differ by no more than 1. None for those of the
            elements and others that are compared.

    References:
        Gower (1971), A general coefficient of similarity and some of its properties, Biometrics
        27; Kaufman & Rousseeuw (1990), section 2.6, for ordered categories.

    Examples:
        >>> import lcrjax
        >>> import numpy as np
        >>> import pandas as pd
        >>> table = pd.DataFrame({"age": [20, 30, 60], "blood": ["A", "0", "A"]})
        >>> print(np.asarray(lcrjax.ordinariness(table, np.eye(3), lcrjax.Gower())).round(3))
        [[1.    0.375 0.5  ]
         [0.375 1.    0.125]
         [0.5   0.125 1.   ]]
    """

    ranges: tuple[tuple[str, float, float], ...] | None = dataclasses.field(
        default=None, metadata={"static": True}
    )

    @classmethod
    def of(cls, table: Any) -> "Gower":
        """Gower's similarity with the ranges of a table, for others to be compared by, too."""
        found = [(name, *_range(values)) for name, values in _split(_frame(table), None)[0]]
        return cls(tuple(found))

    def take(self, elements: Any, what: str = "elements") -> Any:
        """Keep a table as it is."""
        return _frame(elements, what)

    def canonical(self, elements: Any, others: Any) -> tuple["Gower", Any, Any]:
        """Number categories and scale numbers by their ranges."""
        own = _frame(elements)
        its = None if others is None else _frame(others, "others")
        if its is not None and list(own.columns) != list(its.columns):
            raise ValueError("elements and others have other columns: give both the same")
        numbers, categories = _split(own, its)
        known = None if self.ranges is None else {name: ends for name, *ends in self.ranges}
        scaled = [_scaled(name, values, known) for name, values in numbers]
        n = len(own) + (0 if its is None else len(its))
        found = Columns(_stacked(scaled, n, np.float32), _stacked(categories, n, np.int32))
        first, second = (Columns(*(x[part] for x in found)) for part in _parts(len(own)))
        return self, first, None if its is None else second

    def prepare(self, elements: Any) -> Columns:
        """Nothing to prepare."""
        return elements

    def block(self, rows: Columns, columns: Columns) -> Float[Array, "a b"]:
        """Mean over columns of a tile, a column at a time."""
        dtype = rows.numbers.dtype
        nothing = jnp.zeros((len(rows.numbers), len(columns.numbers)), dtype)

        def add(carry: tuple[Array, Array], alike: Array, known: Array) -> tuple[Array, Array]:
            total, count = carry
            return total + jnp.where(known, alike, 0), count + known.astype(dtype)

        def number(carry: Any, column: Any) -> tuple[Any, None]:
            gap = jnp.abs(column[0][:, None] - column[1][None, :])
            return add(carry, 1 - jnp.minimum(gap, 1), ~jnp.isnan(gap)), None

        def category(carry: Any, column: Any) -> tuple[Any, None]:
            x, y = column[0][:, None], column[1][None, :]
            return add(carry, (x == y).astype(dtype), (x >= 0) & (y >= 0)), None

        carry = nothing, nothing
        carry, _ = lax.scan(number, carry, (rows.numbers.T, columns.numbers.T))
        carry, _ = lax.scan(category, carry, (rows.categories.T, columns.categories.T))
        total, count = carry
        return jnp.where(count > 0, total / jnp.maximum(count, 1), 0)

    def tile(self, rows: Any, columns: Any, same: Array | bool, dtype: Any) -> Float[Array, "a b"]:
        """The same; a row is like itself, whatever it lacks."""
        z = self.block(rows, columns).astype(dtype)
        return jnp.where(diagonal(z.shape, same), 1, z)


def _frame(elements: Any, what: str = "elements") -> Any:
    import pandas as pd

    check_apart(what, elements)
    if isinstance(elements, pd.DataFrame):
        frame = elements
    elif hasattr(elements, "to_pandas"):  # of polars or PyArrow
        frame = elements.to_pandas()
    else:
        array = np.asarray(elements)
        if array.ndim != 2 or array.dtype.kind not in "buifO":
            raise ValueError(
                f"{what} have shape {array.shape} and dtype {array.dtype}: Gower's similarity "
                "compares rows of a table, such as a pandas DataFrame"
            )
        frame = pd.DataFrame(array)
    if not frame.shape[1]:
        raise ValueError(f"{what} have no columns: give a table with one at least")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"{what} have two columns {twice!r}: give each a name of its own")
    return frame


def _split(own: Any, its: Any) -> tuple[list[tuple[str, np.ndarray]], list[np.ndarray]]:
    """Columns of numbers and ranks, by name, in float64; and numbers of categories of the others.

    Where there are two tables, the values of the second follow those of the first.
    """
    import pandas as pd

    numbers, categories = [], []
    for name in own.columns:
        column = own[name]
        if its is not None:
            if getattr(column.dtype, "ordered", False) and column.dtype != its[name].dtype:
                raise ValueError(f"column {name!r} has two orders of categories: give it one")
            column = pd.concat([column, its[name]], ignore_index=True)
        if column.dtype == object:
            column = _of_one_kind(column)
        kind = column.dtype
        if getattr(kind, "ordered", False):
            codes = column.cat.codes.to_numpy(np.float64)
            numbers.append((str(name), np.where(codes < 0, np.nan, codes)))
        elif pd.api.types.is_datetime64_any_dtype(kind) or kind.kind == "m":
            whole = column.astype("int64").to_numpy(np.float64)
            numbers.append((str(name), np.where(column.isna(), np.nan, whole)))
        elif kind.kind in "uif":
            values = column.to_numpy(np.float64, na_value=np.nan)
            if np.isinf(values).any():
                at = int(np.flatnonzero(np.isinf(values))[0])
                raise ValueError(f"column {name!r} is infinite at row {at}: remove it")
            numbers.append((str(name), values))
        else:
            try:
                categories.append(pd.factorize(column)[0])
            except TypeError as error:
                raise ValueError(
                    f"column {name!r} holds values that are no categories ({error}): "
                    "give numbers, strings or booleans"
                ) from None
    return numbers, categories


def _of_one_kind(column: Any) -> Any:
    """Numbers and dates among objects, such as those beside a None, as what they are."""
    import pandas as pd

    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        return pd.to_numeric(column)
    if kind in ("date", "datetime", "datetime64"):
        return pd.to_datetime(column)
    return pd.to_timedelta(column) if kind in ("timedelta", "timedelta64") else column


def _range(values: Float[np.ndarray, " n"]) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)


def _scaled(
    name: str, values: Float[np.ndarray, " n"], known: dict[str, list[float]] | None
) -> Float[np.ndarray, " n"]:
    if known is not None and name not in known:
        raise ValueError(f"column {name!r} has no range: make the similarity of a table with it")
    low, high = _range(values) if known is None else known[name]
    return (values - low) / (high - low if high > low else 1.0)


def _stacked(columns: list[np.ndarray], n: int, dtype: Any) -> np.ndarray:
    out = np.empty((n, len(columns)), dtype)
    for k, column in enumerate(columns):
        out[:, k] = column
    return out


def _parts(n: int) -> tuple[slice, slice]:
    return slice(None, n), slice(n, None)
