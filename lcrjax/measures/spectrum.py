r"""Eigenvalues of $\sqrt{p} Z \sqrt{p}$: all of them, and what is left open by those not found."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Shaped

from lcrjax.numerics.groupings import Runs
from lcrjax.numerics.memory import check_room
from lcrjax.numerics.power_means import log_power_means
from lcrjax.numerics.widths import float_dtype
from lcrjax.pairwise.host_rows import host_rows, host_unit_vectors
from lcrjax.pairwise.zp import zp
from lcrjax.similarity import Linear, Precomputed, Similarity, TiledSimilarity
from lcrjax.similarity.sparse import is_sparse

#: What similarities may be off by, relatively: more is no rounding.
TOLERATED = 1e-5
_MATRICES = 3  # of n x n in float64 at once: Z, a copy that LAPACK works on, and what it works with
_NUMBERS_AT_ONCE = 2**24  # numbers of rows of Z or of vectors


class Spectrum(NamedTuple):
    """Positive eigenvalues, the largest first, and what may be hidden beside them."""

    values: Float[np.ndarray, " k"]
    hidden: int  # eigenvalues too small to be told from rounding
    floor: float  # none of which is larger

    def hill(self, q: float) -> float:
        """The Hill number of order q, in float64, if they are zero."""
        return hill_of(self.values, np.ones(len(self.values)), q)

    def most(self, q: float) -> float:
        """The Hill number if they are as large as they may be."""
        if not self.hidden:
            return self.hill(q)
        copies = np.append(np.ones(len(self.values)), self.hidden)
        return hill_of(np.append(self.values, self.floor), copies, q)


def hill_of(values: Float[np.ndarray, " k"], copies: Float[np.ndarray, " k"], q: float) -> float:
    """Hill number of positive numbers that each occur so often, whatever their sum."""
    mass = copies * values
    logs = -np.log(values / mass.sum())[None]
    orders = np.array([1.0 - q])
    return math.exp(log_power_means(orders, mass, logs, Runs(1, len(mass)))[0, 0, 0])


@jax.jit
def traced_spectrum(z: Float[Array, "S S"], weights: Float[Array, " S"]) -> Float[Array, " S"]:
    """Eigenvalues scaled to sum one, in the dtype of Z; those at the level of rounding are zero."""
    root = jnp.sqrt(weights)
    return _cut(jnp.linalg.eigvalsh(root[:, None] * z * root[None, :]))


@jax.jit
def traced_gram_spectrum(
    vectors: Float[Array, "S d"], weights: Float[Array, " S"]
) -> Float[Array, " d"]:
    r"""The same for $Z = X X^T$, from the (d, d) matrix $X^T \mathrm{diag}(p) X$."""
    scaled = jnp.sqrt(weights)[:, None] * vectors
    gram = jnp.matmul(scaled.T, scaled, precision=jax.lax.Precision.HIGHEST)
    return _cut(jnp.linalg.eigvalsh(gram))


def _cut(values: Float[Array, " S"]) -> Float[Array, " S"]:
    floor = math.sqrt(len(values)) * jnp.finfo(values.dtype).eps * jnp.linalg.norm(values)
    values = jnp.where(values > jax.lax.stop_gradient(floor), values, 0)
    return values / jnp.sum(values)


def dense_spectrum(similarity: Similarity, elements: Any, p: Float[np.ndarray, " n"]) -> Spectrum:
    """All eigenvalues, from an n x n matrix in float64.

    Raises:
        ValueError: If the similarity is not symmetric, has a negative eigenvalue, or does not fit
            into memory.
    """
    check_room(
        _MATRICES * 8 * len(p) ** 2, f"eigenvalues of the similarities of {len(p):,} elements"
    )
    z, eps = similarity_matrix(similarity, elements, len(p))
    check_symmetry(z)
    root = np.sqrt(p)
    z *= root[:, None]
    z *= root
    return _spectrum(z, eps, int(np.count_nonzero(p)))


def gram_spectrum(vectors: np.ndarray, p: Float[np.ndarray, " n"]) -> Spectrum:
    r"""The same for unit vectors and $Z = X X^T$, from the (d, d) matrix $X^T \mathrm{diag}(p) X$.

    It is summed in float64 over blocks of vectors; there is no n x n.
    """
    gram = np.zeros((vectors.shape[1],) * 2)
    for scaled in scaled_blocks(vectors, p):
        gram += scaled.T @ scaled
    return _spectrum(gram, 0.0, min(int(np.count_nonzero(p)), len(gram)))


def host_vectors(similarity: Linear, elements: Any) -> Shaped[np.ndarray, "n d"]:
    """Vectors as they are given, checked."""
    vectors = np.asarray(similarity.canonical(elements, None)[1])
    return vectors.reshape(len(vectors), -1)


def scaled_blocks(vectors: np.ndarray, p: Float[np.ndarray, " n"]) -> Any:
    """Blocks of unit vectors in float64, times the roots of their weights."""
    step = _rows_at_once(vectors.shape[1])
    for start in range(0, len(vectors), step):
        block = slice(start, start + step)
        yield np.sqrt(p[block])[:, None] * host_unit_vectors(vectors[block])


def similarity_matrix(
    similarity: Similarity, elements: Any, n: int
) -> tuple[Float[np.ndarray, "n n"], float]:
    """Z in float64, and the relative precision that its numbers have beyond that."""
    if isinstance(similarity, Precomputed):
        z, eps, start = np.empty((n, n)), 0.0, 0
        for block in similarity.blocks(n):
            rows = slice(start, start := start + block.shape[0])
            z[rows] = block.toarray() if is_sparse(block) else np.asarray(block)
            eps = _precision(block.dtype)
        return z, eps
    if isinstance(similarity, TiledSimilarity):
        exact, canonical, _ = similarity.canonical(elements, None)
        rows_of = host_rows(exact, canonical)
        if rows_of is not None:
            z, step = np.empty((n, n)), _rows_at_once(n)
            for start in range(0, n, step):
                rows = slice(start, min(start + step, n))
                z[rows] = rows_of(rows)
            return z, 0.0
    found = zp(similarity, elements, jnp.eye(n))
    return np.array(found, np.float64), _precision(found.dtype)


def _precision(dtype: Any) -> float:
    """Precision of a float dtype narrower than float64, zero of others."""
    eps = float(jnp.finfo(dtype).eps) if jnp.issubdtype(dtype, jnp.floating) else 0.0
    return eps if eps > np.finfo(np.float64).eps else 0.0


def _spectrum(matrix: Float[np.ndarray, "n n"], eps: float, rank: int) -> Spectrum:
    """Eigenvalues that rounding does not explain.

    A symmetric change of norm e moves no eigenvalue by more than e (Weyl). Numbers rounded to a
    precision eps change a matrix by eps times its Frobenius norm at most; the solver changes it
    by sqrt(n) roundings of float64 or so; and where it has a negative eigenvalue, which the exact
    one has not, it is off by that at least.

    Args:
        matrix: Symmetric, of which the lower triangle is read.
        eps: Relative precision of its numbers, if less than that of float64.
        rank: How many positive eigenvalues it may have.
    """
    values = np.linalg.eigvalsh(matrix)[::-1]
    norm = float(np.linalg.norm(values))
    check_definite(float(values[-1]), norm)
    floor = max(-values[-1], norm * (eps + math.sqrt(len(values)) * np.finfo(np.float64).eps))
    kept = values[values > floor][:rank]
    return Spectrum(kept, rank - len(kept), float(floor))


def products(
    similarity: Similarity, elements: Any, p: Float[np.ndarray, " n"]
) -> tuple[Callable[[Float[np.ndarray, "n b"]], Float[np.ndarray, "n b"]], float]:
    r"""Multiplication by $\sqrt{p} Z \sqrt{p}$, which is not stored, and its trace.

    Raises:
        ValueError: If the similarity is known not to be symmetric.
    """
    n, root = len(p), np.sqrt(p)[:, None]
    if isinstance(similarity, Linear):
        vectors = host_vectors(similarity, elements)

        def by_features(block: np.ndarray) -> np.ndarray:
            step = _rows_at_once(vectors.shape[1])
            inner = sum(
                x.T @ block[i * step : (i + 1) * step]
                for i, x in enumerate(scaled_blocks(vectors, p))
            )
            return np.concatenate([x @ inner for x in scaled_blocks(vectors, p)])

        return by_features, sum(float(np.vdot(x, x)) for x in scaled_blocks(vectors, p))
    if isinstance(similarity, Precomputed):
        trace = 1.0
        if not similarity.in_file:
            whole = next(similarity.blocks(n))
            check_symmetry(whole)
            trace = float(p @ np.asarray(whole.diagonal(), np.float64))

        def by_rows(block: np.ndarray) -> np.ndarray:
            weights = root * block
            return root * np.concatenate([z @ weights for z in _wide_blocks(similarity, n)])

        return by_rows, trace
    if isinstance(similarity, TiledSimilarity) and not similarity.symmetric:
        raise ValueError(
            f"{type(similarity).__name__} is not symmetric: a Vendi score needs one that is"
        )
    width = 0

    def by_tiles(block: np.ndarray) -> np.ndarray:
        nonlocal width
        width = max(width, block.shape[1])  # one program for all
        weights = np.zeros((n, width))
        weights[:, : block.shape[1]] = root * block
        found = zp(similarity, elements, jnp.asarray(weights, float_dtype(weights)))
        return root * np.asarray(found, np.float64)[:, : block.shape[1]]

    return by_tiles, 1.0


def _rows_at_once(width: int) -> int:
    return max(1, _NUMBERS_AT_ONCE // width)


def _wide_blocks(similarity: Precomputed, n: int) -> Iterator[Any]:
    """Rows of a matrix in float64, or sparse."""
    step = _rows_at_once(n)
    for block in similarity.blocks(n):
        if is_sparse(block):
            yield block
            continue
        for start in range(0, len(block), step):
            yield np.asarray(block[start : start + step], np.float64)


def check_symmetry(z: Any, room: float = 1e-4, what: str = "a Vendi score") -> None:
    """Refuse a matrix that is not symmetric, of NumPy or jax or in SciPy's CSR.

    Args:
        z: The matrix.
        room: How much two numbers may differ.
        what: What needs a symmetric one.

    Raises:
        ValueError: If it is not.
    """
    step = z.shape[0] if is_sparse(z) else _rows_at_once(z.shape[0])
    for start in range(0, z.shape[0], step):
        rows = slice(start, start + step)
        off = abs(z[rows] - z[:, rows].T)
        if off.max() > room:
            i, j = map(int, np.unravel_index(off.argmax(), off.shape))
            raise ValueError(
                f"Z[{start + i}, {j}] is {z[start + i, j]:g} and Z[{j}, {start + i}] is "
                f"{z[j, start + i]:g}: {what} needs a symmetric similarity"
            )


def check_definite(least: float, norm: float) -> None:
    """Refuse an eigenvalue that is more negative than rounding explains.

    Raises:
        ValueError: If it is.
    """
    if least < -TOLERATED * norm:
        raise ValueError(
            f"the similarity has an eigenvalue of {least:.3g} where all sum to one: a Vendi score "
            "needs one that is positive semi-definite, such as Gaussian, Laplacian, RMSD or Linear"
        )
