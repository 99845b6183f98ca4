"""Sparse similarity matrices: SciPy's and jax's, in memory and in `.npz` files."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from lcrjax.numerics.arrays import at_hand


def is_sparse(matrix: Any) -> bool:
    """Whether it is a sparse matrix or array, such as those of SciPy and of `jax.experimental`."""
    return hasattr(matrix, "todense")


def on_host(matrix: Any) -> Any:
    """Bring a sparse matrix into SciPy's CSR form, entries of one place summed; unless traced.

    Raises:
        ValueError: If it does not hold numbers, or its indices point outside.
    """
    import scipy.sparse

    if not hasattr(matrix, "tocsr"):  # one of jax
        if not at_hand(*jax.tree.leaves(matrix)):
            return matrix
        triples = (matrix.to_bcoo() if hasattr(matrix, "to_bcoo") else matrix).sum_duplicates()
        place = tuple(np.asarray(triples.indices).T)
        matrix = scipy.sparse.coo_array((np.asarray(triples.data), place), triples.shape)
    if matrix.dtype.kind not in "iufb":
        raise ValueError(f"the similarity matrix has dtype {matrix.dtype}: give numbers")
    rows = scipy.sparse.csr_array(matrix.tocsr())
    rows = rows.astype(rows.dtype if rows.dtype.kind == "f" else np.float64)
    try:
        rows.check_format(full_check=True)
    except ValueError as error:
        raise ValueError(f"the sparse similarity matrix is broken: {error}") from error
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    return rows


def as_triples(rows: Any) -> Any:
    """A jax array of SciPy's matrix, to be traced."""
    from jax.experimental import sparse

    return sparse.BCOO.from_scipy_sparse(rows)


def weigh_sparse(matrix: Any, weights: Float[Array, "m k"]) -> Float[Array, "n k"]:
    """Z w without a dense Z: on the host in float64, or traced in the dtype of the weights."""
    if hasattr(matrix, "tocsr"):
        if at_hand(weights):
            return jnp.asarray(matrix @ np.asarray(weights, np.float64), weights.dtype)
        matrix = as_triples(matrix)
    return matrix.astype(weights.dtype) @ weights


def row_blocks(path: Path, entries: int) -> Iterator[Any]:
    """Read a file of `scipy.sparse.save_npz` in blocks of rows of about so many entries.

    CSR is read so, whether compressed or not; other formats come whole.

    Raises:
        ValueError: If it is no such file.
    """
    import scipy.sparse

    try:
        with np.load(path, allow_pickle=False) as file:
            form, shape = file["format"].item(), tuple(map(int, file["shape"]))
            ends = file["indptr"] if form in (b"csr", "csr") else None
        if ends is None:
            yield on_host(scipy.sparse.load_npz(path))
            return
        if len(ends) != shape[0] + 1 or ends[0] != 0 or np.any(np.diff(ends) < 0):
            raise ValueError("its rows do not follow each other")
        with zipfile.ZipFile(path) as archive:
            columns, values = _Numbers(archive, "indices"), _Numbers(archive, "data")
            start = 0
            while start < shape[0]:
                most = np.searchsorted(ends, ends[start] + entries, side="right") - 1
                stop = int(max(start + 1, most))
                count = int(ends[stop] - ends[start])
                parts = (
                    values.take(count),
                    columns.take(count),
                    ends[start : stop + 1] - ends[start],
                )
                yield on_host(scipy.sparse.csr_array(parts, (stop - start, shape[1])))
                start = stop
    except (KeyError, OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no matrix of scipy.sparse.save_npz: {error}") from error


class _Numbers:
    """One array of an archive, read from its beginning on."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._file = archive.open(f"{name}.npy")
        version = np.lib.format.read_magic(self._file)
        header = "read_array_header_1_0" if version == (1, 0) else "read_array_header_2_0"
        _, _, self._dtype = getattr(np.lib.format, header)(self._file)

    def take(self, count: int) -> np.ndarray:
        """The next numbers, so many of them."""
        found = np.frombuffer(self._file.read(count * self._dtype.itemsize), self._dtype)
        if len(found) != count:
            raise ValueError("it ends too early")
        return found
