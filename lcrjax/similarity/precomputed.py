"""Similarities that somebody has computed already, in memory or in a file."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from lcrjax.similarity.base import Similarity

_ROWS_AT_ONCE = 2**24  # numbers of a file held at once


@jax.tree_util.register_pytree_node_class
@dataclasses.dataclass(frozen=True, eq=False)
class Precomputed(Similarity):
    """A similarity matrix: row i holds the similarities of element i to all others.

    It need not be symmetric; ordinariness reads it by rows, (Z p)_i = sum_j Z_ij p_j. A file is
    read in blocks of rows, so that Z may be larger than memory.

    Attributes:
        matrix: (S, S) array; or a DataFrame, whose index, if it has names, must be that of the
            counts; or the path of a `.npy` file (memory-mapped) or of a `.csv` file of numbers,
            with or without a header.

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
            return
        if isinstance(self.matrix, jax.core.Tracer) or type(self.matrix) is object:
            return
        array = np.asarray(self.matrix)
        if array.dtype.kind not in "iufb":
            raise ValueError(f"the similarity matrix has dtype {array.dtype}: give numbers")
        if array.ndim != 2 or array.shape[0] != array.shape[1]:
            raise ValueError(f"the similarity matrix has shape {array.shape}: it must be square")
        _check_rows(array, 0)

    def check(self, count: int, names: tuple[Any, ...] | None) -> None:
        """Compare with the counts.

        Raises:
            ValueError: If the sizes differ, or both have names and these differ.
        """
        index: Any = getattr(self.matrix, "index", None)
        if index is not None and names is not None and list(index) != list(names):
            at = next((i for i, (a, b) in enumerate(zip(index, names, strict=False)) if a != b), 0)
            raise ValueError(
                f"row {at} of the similarity is {index[at]!r} and row {at} of the counts "
                f"{names[at]!r}: give both in one order"
            )
        columns: Any = getattr(self.matrix, "columns", None)
        named = columns is not None and index is not None and names is not None
        if named and list(columns) != list(index):
            raise ValueError("the columns of the similarity are not named like its rows")
        shape = np.shape(self.matrix)
        if len(shape) == 2 and shape[0] != count:
            raise ValueError(
                f"the similarity matrix has shape {shape}, but there are {count} rows of counts"
            )

    def ordinariness(
        self, elements: Any, weights: Any, others: Any = None, *, tile: int | None = None
    ) -> Float[Array, "n k"]:
        """Z w.

        Raises:
            ValueError: If `others` are given: the matrix knows its own elements alone.
        """
        if others is not None:
            raise ValueError("a precomputed similarity knows no others than its own elements")
        weights = jnp.asarray(weights)
        if not isinstance(self.matrix, str | Path):
            z = self.matrix.to_numpy() if hasattr(self.matrix, "to_numpy") else self.matrix
            return jnp.matmul(
                jnp.asarray(z, weights.dtype), weights, precision=lax.Precision.HIGHEST
            )
        parts, start = [], 0
        for block in _row_blocks(Path(self.matrix), len(weights)):
            if block.ndim != 2 or block.shape[1] != len(weights):
                raise ValueError(
                    f"{self.matrix} has rows of {block.shape[-1]} numbers, "
                    f"but there are {len(weights)} rows of counts"
                )
            if start + len(block) > len(weights):
                raise ValueError(
                    f"{self.matrix} has more rows than columns, of which there are {len(weights)}"
                )
            _check_rows(block, start)
            start += len(block)
            parts.append(
                jnp.matmul(
                    jnp.asarray(block, weights.dtype), weights, precision=lax.Precision.HIGHEST
                )
            )
        if start != len(weights):
            raise ValueError(f"{self.matrix} has {start} rows, but the counts have {len(weights)}")
        return jnp.concatenate(parts)

    def tree_flatten(self) -> tuple[tuple[Any, ...], Any]:
        """Flatten; a file's path is static."""
        if isinstance(self.matrix, str | Path):
            return (), str(self.matrix)
        return (self.matrix.to_numpy() if hasattr(self.matrix, "to_numpy") else self.matrix,), None

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


def _row_blocks(path: Path, width: int) -> Iterator[np.ndarray]:
    rows = max(1, _ROWS_AT_ONCE // max(1, width))
    if path.suffix == ".npy":
        try:
            matrix = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise ValueError(f"{path} cannot be read as .npy: {error}") from error
        for start in range(0, len(matrix), rows):
            yield np.asarray(matrix[start : start + rows])
        return
    import pandas as pd

    with path.open() as file:
        first = file.readline().strip().split(",")
    try:
        [float(cell) for cell in first]
        header = None
    except ValueError:
        header = 0
    try:
        for chunk in pd.read_csv(path, header=header, chunksize=rows, dtype=np.float64):
            yield chunk.to_numpy()
    except (ValueError, pd.errors.ParserError) as error:
        raise ValueError(f"{path} is no table of numbers: {error}") from error
