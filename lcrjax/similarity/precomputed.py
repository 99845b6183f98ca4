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
from lcrjax.numerics.memory import check_room
from lcrjax.numerics.sources import check_mapped
from lcrjax.numerics.tables import first_difference, is_labelled
from lcrjax.similarity.base import Similarity
from lcrjax.similarity.checks import check_own
from lcrjax.similarity.sparse import as_triples, is_sparse, on_host, row_blocks, weigh_sparse

_ROWS_AT_ONCE = 2**24  # numbers of a file held at once


class Precomputed(Similarity, eq=False):
    """A similarity matrix: row i holds the similarities of element i to all others.

    It need not be symmetric; ordinariness reads it by rows, (Z p)_i = sum_j Z_ij p_j. A file is
    read in blocks of rows, so that Z may be larger than memory. A sparse matrix stays sparse:
    pairs that it leaves out have nothing in common.

    Attributes:
        matrix: (S, S) array; or a DataFrame, whose index, if it has names, must be that of the
            counts; or a sparse matrix or array of `scipy.sparse` or `jax.experimental.sparse`
            (kept as CSR, entries of one place summed); or an array that NumPy maps from a file, or
            the path of a `.npy` or `.csv` file of numbers (the latter with or without a header) or
            of a `.npz` file of `scipy.sparse.save_npz`: these are read in blocks.

    Raises:
        ValueError: If the matrix is not square, holds NaN or a negative number, or its diagonal
            is not one; where a file is read, while it is read.
    """

    matrix: Any

    def __post_init__(self) -> None:
        """Check what can be checked at once."""
        if isinstance(self.matrix, str | Path):
            path = Path(self.matrix)
            if path.suffix not in (".npy", ".csv", ".npz") or not path.is_file():
                raise ValueError(f"{path} is no .npy, .csv or .npz file that exists")
            if path.suffix == ".npy":
                _mapped(path)
            return
        if isinstance(self.matrix, jax.core.Tracer) or type(self.matrix) is object:
            return
        if isinstance(self.matrix, np.memmap):
            _check_table(str(self.matrix.filename), self.matrix)
            return
        if is_sparse(self.matrix):
            rows = on_host(self.matrix)
            _check_square("the similarity matrix", rows.shape)
            object.__setattr__(self, "matrix", rows)
            if hasattr(rows, "tocsr"):
                _check_rows(rows, 0)
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
        if not self.in_file:
            shape = np.shape(self.matrix)
            if shape[-1] != len(weights):
                raise ValueError(
                    f"the similarity matrix has shape {shape}, "
                    f"but there are {len(weights)} rows of weights"
                )
            ready = isinstance(self.matrix, jax.Array) and self.matrix.dtype == weights.dtype
            if not (ready or is_sparse(self.matrix)):
                check_room(
                    shape[0] * shape[1] * weights.dtype.itemsize,
                    f"a copy in {weights.dtype} of the similarities of {shape[0]:,} elements",
                )
            return _weigh(self.matrix, weights)
        return jnp.concatenate([_weigh(block, weights) for block in self.blocks(len(weights))])

    def blocks(self, count: int) -> Iterator[Any]:
        """Rows of the matrix in order, some at a time, checked: arrays, or SciPy's CSR.

        Raises:
            ValueError: If it is not so many rows of so many numbers, or they are no similarities.
        """
        if not self.in_file:
            yield (
                numbers("similarities", self.matrix) if not is_sparse(self.matrix) else self.matrix
            )
            return
        name = getattr(self.matrix, "filename", self.matrix)
        start = 0
        for block in _row_blocks(self.matrix, count):
            if block.ndim != 2 or block.shape[1] != count:
                raise ValueError(
                    f"{name} has rows of {block.shape[-1]} numbers, "
                    f"but there are {count} rows of counts"
                )
            if start + block.shape[0] > count:
                raise ValueError(f"{name} has more rows than columns, of which there are {count}")
            _check_rows(block, start)
            start += block.shape[0]
            yield block
        if start != count:
            raise ValueError(f"{name} has {start} rows, but the counts have {count}")

    @property
    def in_file(self) -> bool:
        """Whether it is read from a file, in blocks."""
        return isinstance(self.matrix, str | Path | np.memmap)

    def tree_flatten(self) -> tuple[tuple[Any, ...], Any]:
        """Flatten; a file's path is static."""
        if isinstance(self.matrix, str | Path):
            return (), str(self.matrix)
        if hasattr(self.matrix, "tocsr"):
            return (as_triples(self.matrix),), None
        return (
            numbers("similarities", self.matrix) if is_labelled(self.matrix) else self.matrix,
        ), None

    @classmethod
    def tree_unflatten(cls, path: Any, children: tuple[Any, ...]) -> "Precomputed":
        """Restore, without checks."""
        new = object.__new__(cls)
        object.__setattr__(new, "matrix", children[0] if path is None else path)
        return new


def _weigh(block: Any, weights: Array) -> Array:
    if is_sparse(block):
        return weigh_sparse(block, weights)
    rows = jnp.asarray(numbers("similarities", block), weights.dtype)
    return jnp.matmul(rows, weights, precision=lax.Precision.HIGHEST)


def _check_rows(block: Any, first: int) -> None:
    """Check rows of a similarity matrix, the first of which has number `first`; CSR too."""
    values = block.data if is_sparse(block) else block
    if values.size and not (values.min() >= 0 and values.max() < np.inf):
        bad = np.argwhere(~(values >= 0) | np.isinf(values))[0]
        if is_sparse(block):
            (k,) = bad
            bad = np.searchsorted(block.indptr, k, side="right") - 1, block.indices[k]
        i, j = bad
        raise ValueError(
            f"the similarity of elements {first + i} and {j} is {block[i, j]:g}: "
            "similarities are finite and not negative"
        )
    own = block.diagonal(first)
    check_own(own, first + np.arange(len(own)))


def _check_table(name: str, table: np.ndarray) -> None:
    if table.dtype.kind not in "iufb":
        raise ValueError(f"{name} has dtype {table.dtype}: give numbers")
    _check_square(name, table.shape)


def _check_square(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(
            f"{name} has shape {shape}: it must be square, with as many rows as columns"
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


def _row_blocks(source: Any, width: int) -> Iterator[Any]:
    if not isinstance(source, np.memmap) and Path(source).suffix == ".npz":
        yield from row_blocks(Path(source), _ROWS_AT_ONCE)
        return
    rows = max(1, _ROWS_AT_ONCE // max(1, width))
    if isinstance(source, np.memmap) or Path(source).suffix == ".npy":
        matrix = source if isinstance(source, np.memmap) else _mapped(Path(source))
        for start in range(0, len(matrix), rows):
            check_mapped("similarities", matrix)
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
