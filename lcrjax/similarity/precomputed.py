"""Similarities that somebody has computed already, in memory or in a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.inputs import numbers
from lcrjax.numerics.tables import first_difference, is_labelled
from lcrjax.similarity.base import Similarity

_ROWS_AT_ONCE = 2**24  # numbers of a file held at once


class Precomputed(Similarity, eq=False):
    """A similarity matrix: row i holds the similarities of element i to all others.

    It need not be symmetric; ordinariness reads it by rows, (Z p)_i = sum_j Z_ij p_j. A file is
    read in blocks of rows, so that Z may be larger than memory.

    Attributes:
        matrix: (S, S) array; or a DataFrame, whose index, if it has names, must be that of the
            counts; or an array that NumPy maps from a file, or the path of a `.npy` or `.csv` file
            of numbers (the latter with or without a header): these three are read in blocks.

    Raises:
        ValueError: If the matrix is not square, holds NaN or a negative number, or its diagonal
            is not one; where a file is read, while it is read.
    """

    matrix: Any

    def __post_init__(self) -> None:
        """Check what can be checked at once."""
        if isinstance(self.matrix, str | Path):
            path = Path(self.matrix)
            if path.suffix not in (".npy", ".csv") or not path.is_file():
                raise ValueError(f"{path} is no .npy or .csv file that exists")
            if path.suffix == ".npy":
                _mapped(path)
            return
        if isinstance(self.matrix, jax.core.Tracer) or type(self.matrix) is object:
            return
        if isinstance(self.matrix, np.memmap):
            _check_table(str(self.matrix.filename), self.matrix)
            return
        array = numbers("similarities", self.matrix)
        if not is_labelled(self.matrix):
            object.__setattr__(self, "matrix", array)
        if not at_hand(array):
            return
        array = np.asarray(array)
        _check_table("the similarity matrix", array)
        if hasattr(self.matrix, "columns"):
            _check_columns(self.matrix)
        _check_rows(array, 0)

    def check(self, count: int, names: tuple[Any, ...] | None) -> None:
        """Compare with the counts.

        Raises:
            ValueError: If the sizes differ, or both have names and these differ.
        """
        matrix = self.matrix
        if isinstance(matrix, str | Path):
            matrix = _mapped(Path(matrix)) if Path(matrix).suffix == ".npy" else ()
        shape: tuple[int, ...] = np.shape(matrix)
        if len(shape) == 2 and shape[0] != count:
            raise ValueError(
                f"the similarity matrix has shape {shape}, but there are {count} rows of counts"
            )
        if not is_labelled(self.matrix) or names is None:
            return
        for what, own in (("row", self.matrix.index), ("column", self.matrix.columns)):
            at = first_difference(tuple(own), names)
            if at is not None:
                raise ValueError(
                    f"{what} {at} of the similarity is {own[at]!r} and row {at} of the counts "
                    f"{names[at]!r}: give both in one order"
                )

    def take(self, elements: Any, what: str = "elements") -> Any:
        """Leave elements as they are: nobody looks at them."""
        return elements

    def ordinariness(self, elements: Any, weights: Any, others: Any = None) -> Float[Array, "n k"]:
        """Z w.

        Raises:
            ValueError: If `others` are given: the matrix knows its own elements alone.
        """
        if others is not None:
            raise ValueError("a precomputed similarity knows no others than its own elements")
        weights = jnp.asarray(weights)
        if not isinstance(self.matrix, str | Path | np.memmap):
            z = numbers("similarities", self.matrix)
            if z.shape[-1] != len(weights):
                raise ValueError(
                    f"the similarity matrix has shape {z.shape}, "
                    f"but there are {len(weights)} rows of weights"
                )
            return jnp.matmul(
                jnp.asarray(z, weights.dtype), weights, precision=lax.Precision.HIGHEST
            )
        name = getattr(self.matrix, "filename", self.matrix)
        parts, start = [], 0
        for block in _row_blocks(self.matrix, len(weights)):
            if block.ndim != 2 or block.shape[1] != len(weights):
                raise ValueError(
                    f"{name} has rows of {block.shape[-1]} numbers, "
                    f"but there are {len(weights)} rows of counts"
                )
            if start + len(block) > len(weights):
                raise ValueError(
                    f"{name} has more rows than columns, of which there are {len(weights)}"
                )
            _check_rows(block, start)
            start += len(block)
            parts.append(
                jnp.matmul(
                    jnp.asarray(block, weights.dtype), weights, precision=lax.Precision.HIGHEST
                )
            )
        if start != len(weights):
            raise ValueError(f"{name} has {start} rows, but the counts have {len(weights)}")
        return jnp.concatenate(parts)

    def tree_flatten(self) -> tuple[tuple[Any, ...], Any]:
        """Flatten; a file's path is static."""
        if isinstance(self.matrix, str | Path):
            return (), str(self.matrix)
        return (
            numbers("similarities", self.matrix) if is_labelled(self.matrix) else self.matrix,
        ), None

    @classmethod
    def tree_unflatten(cls, path: Any, children: tuple[Any, ...]) -> "Precomputed":
        """Restore, without checks."""
        new = object.__new__(cls)
        object.__setattr__(new, "matrix", children[0] if path is None else path)
        return new


def _check_rows(block: np.ndarray, first: int) -> None:
    """Check rows of a similarity matrix, the first of which has number `first`."""
    if block.size and not (block.min() >= 0 and block.max() < np.inf):
        i, j = np.argwhere(~(block >= 0) | np.isinf(block))[0]
        raise ValueError(
            f"the similarity of elements {first + i} and {j} is {block[i, j]:g}: "
            "similarities are finite and not negative"
        )
    own = block[np.arange(len(block)), first + np.arange(len(block))]
    off = np.flatnonzero(np.abs(own - 1) > 1e-5)
    if len(off):
        raise ValueError(
            f"the similarity of element {first + off[0]} to itself is {own[off[0]]:g}: "
            "the diagonal must be one"
        )


def _check_table(name: str, table: np.ndarray) -> None:
    if table.dtype.kind not in "iufb":
        raise ValueError(f"{name} has dtype {table.dtype}: give numbers")
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise ValueError(
            f"{name} has shape {table.shape}: it must be square, with as many rows as columns"
        )


def _check_columns(frame: Any) -> None:
    rows, columns = tuple(frame.index), tuple(frame.columns)
    at = first_difference(rows, columns)
    if at is not None:
        how = "ordered" if set(rows) == set(columns) else "named"
        raise ValueError(
            f"the columns of the similarity are {how} unlike its rows: "
            f"row {at} is {rows[at]!r} and column {at} {columns[at]!r}"
        )


def _mapped(path: Path) -> np.ndarray:
    try:
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} cannot be read as .npy: {error}") from error
    _check_table(str(path), matrix)
    return matrix


def _has_header(path: Path) -> bool:
    """Whether the first row is one of names: no numbers, or the 0, 1, 2, ... of pandas.

    No similarities begin with 0 and 1: the first element is like itself.
    """
    with path.open(encoding="utf-8-sig") as file:
        cells = file.readline().strip().split(",")
    if cells == [str(j) for j in range(len(cells))] and len(cells) > 1:
        return True
    return not any(_is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _row_blocks(source: Any, width: int) -> Iterator[np.ndarray]:
    rows = max(1, _ROWS_AT_ONCE // max(1, width))
    if isinstance(source, np.memmap) or Path(source).suffix == ".npy":
        matrix = source if isinstance(source, np.memmap) else _mapped(Path(source))
        for start in range(0, len(matrix), rows):
            yield numbers("similarities", np.array(matrix[start : start + rows]))
        return
    import pandas as pd

    try:
        header = 0 if _has_header(Path(source)) else None
        for chunk in pd.read_csv(
            source, header=header, chunksize=rows, dtype=np.float64, encoding="utf-8-sig"
        ):
            yield chunk.to_numpy()
    except (ValueError, pd.errors.ParserError) as error:
        raise ValueError(f"{source} is no table of numbers: {error}") from error
