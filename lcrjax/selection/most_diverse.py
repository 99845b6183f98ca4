"""The most diverse mixture of elements, from every viewpoint at once."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from lcrjax.measures.spectrum import check_symmetry, similarity_matrix
from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.inputs import numbers
from lcrjax.numerics.memory import check_room
from lcrjax.numerics.pixels import check_pixels
from lcrjax.selection.simplex_programme import best_of_subsets, least_on_simplex
from lcrjax.similarity import RMSD, Identity, Similarity
from lcrjax.similarity.base import KnowsElements, count_elements, taken
from lcrjax.similarity.spec import as_similarity
from lcrjax.similarity.unnamed import check_numbers

_FEW = 16  # elements all subsets of which are tried
_MATRICES = 4  # of n x n in float64 at once


@dataclasses.dataclass(frozen=True)
class MostDiverse:
    r"""The mixture of elements whose diversity no other exceeds, at any viewpoint.

    Attributes:
        distribution: Abundances p, (n,), float64, summing to one. Many may be zero.
        value: The diversity of p, the same at every viewpoint q.
        magnitude: Sum of the weights w that solve $Z w = 1$, the effective number of elements were
            weights free to be negative; NaN where none solve it in float64.
        residual: By how much $(Z p)_i$ times `value` differs from one where $p_i > 0$ and falls
            short of it elsewhere, at most: both are zero at the best mixture.
    """

    distribution: Float[np.ndarray, " n"]
    value: float
    magnitude: float
    residual: float

    @property
    def support(self) -> Int[np.ndarray, " s"]:
        """Elements that take part, in ascending order."""
        return np.flatnonzero(self.distribution)


def maximum_diversity(elements: Any, similarity: Any = None) -> MostDiverse:
    r"""Find the abundances of elements whose diversity ${}^qD^Z$ is largest, whatever q.

    One distribution p is best at every viewpoint, and its diversity is the same at all of them.
    If Z is positive semi-definite, as of RMSD, the other kernels and the cosine of nonnegative
    vectors, p is the minimum of $p^T Z p$: a convex programme, solved in float64. Of any other
    symmetric Z all subsets of up to 16 elements are tried; for more, the task is as hard as
    finding the largest independent set of a graph.

    Args:
        elements: A matrix (n, n) of similarities, or the path of one, or a `Similarity` that knows
            its elements; or n images (n, h, w) or (n, h, w, c), compared by RMSD; or, with a
            similarity, whatever it compares.
        similarity: A `Similarity` or a word for one, as `measure` takes it; None if `elements` say
            it all.

    Returns:
        A `MostDiverse`: distribution, value, magnitude, residual. Where several distributions are
        best, elements alike in all get alike shares.

    Raises:
        ValueError: If the similarity is not symmetric or negative, n² numbers do not fit into
            memory, or Z of more than 16 elements has a negative eigenvalue.

    References:
        Leinster & Meckes (2016), Maximizing diversity in biology and beyond, Entropy 18, 88:
        theorem 2, corollary 4, section 7.

    Examples:
        >>> import numpy as np
        >>> from lcrjax.selection import maximum_diversity
        >>> Z = np.array([[1, 0.9, 0.1], [0.9, 1, 0.1], [0.1, 0.1, 1]])
        >>> best = maximum_diversity(Z)
        >>> print(best.distribution.round(4), round(best.value, 4))
        [0.2571 0.2571 0.4857] 1.8617
    """
    z, eps = _matrix(elements, similarity)
    n = len(z)
    if (z < 0).any():
        i, j = np.argwhere(z < 0)[0]
        raise ValueError(
            f"the similarity of elements {i} and {j} is {z[i, j]:g}: diversity is defined for "
            "similarities of at least 0"
        )
    magnitude = _magnitude(z)
    # What rounding may have changed an eigenvalue by; see `spectrum`.
    room = float(np.linalg.norm(z)) * (eps + np.sqrt(n) * np.finfo(np.float64).eps)
    if _is_definite(z, room):
        found = least_on_simplex(z, room)
    elif n <= _FEW:
        found = best_of_subsets(z)
    else:
        raise ValueError(
            f"the least eigenvalue of the similarities of {n} elements is "
            f"{np.linalg.eigvalsh(z)[0]:.3g}: the best mixture is known of positive semi-definite "
            f"ones, such as RMSD, and of any {_FEW} elements"
        )
    return MostDiverse(found.p, found.value, magnitude, found.residual)


def _matrix(elements: Any, similarity: Any) -> tuple[Float[np.ndarray, "n n"], float]:
    """Z in float64, symmetric, and the relative precision that its numbers have beyond that."""
    if not at_hand(*jax.tree.leaves((elements, similarity))):
        raise ValueError("elements are traced: call maximum_diversity outside of jit and grad")
    if similarity is None and not isinstance(elements, Similarity | str | Path):
        given = elements
        if not hasattr(elements, "todense"):
            check_numbers(elements)
            given = numbers("elements", elements)
        if given.ndim > 2:
            similarity = RMSD()
            check_pixels(given)
        elif given.ndim != 2 or given.shape[0] != given.shape[1]:
            raise ValueError(
                f"elements have shape {given.shape}: give a similarity too, or a matrix (n, n)"
            )
    if similarity is None:
        relation, own, _ = as_similarity(elements)
        if not isinstance(relation, KnowsElements):
            raise ValueError(
                f"a {type(relation).__name__} compares elements: give them first, then it"
            )
        n = _size(relation)
    else:
        relation, own, _ = as_similarity(similarity, elements)
        own = taken(relation, own)
        n = count_elements(relation, own)
        if isinstance(relation, KnowsElements):
            relation.check(n, None)
    if n < 1:
        raise ValueError("there are no elements: give one at least")
    check_room(_MATRICES * 8 * n**2, f"similarities of {n:,} elements")
    if isinstance(relation, Identity):
        return np.eye(n), 0.0
    z, eps = similarity_matrix(relation, own, n)
    check_symmetry(z, 1e-5, "the most diverse mixture")
    return (z + z.T) / 2, eps


def _size(relation: Any) -> int:
    """How many elements a similarity knows."""
    if hasattr(relation, "names"):
        return len(relation.names)
    if not isinstance(relation.matrix, str | Path):
        return int(np.shape(relation.matrix)[0])
    if Path(relation.matrix).suffix != ".npy":
        raise ValueError(f"{relation.matrix} does not say its size: give the matrix that it holds")
    return len(np.load(relation.matrix, mmap_mode="r"))


def _is_definite(z: Float[np.ndarray, "n n"], room: float) -> bool:
    """Whether no eigenvalue is more negative than rounding explains."""
    try:
        np.linalg.cholesky(z + room * np.eye(len(z)))
    except np.linalg.LinAlgError:
        return False
    return True


def _magnitude(z: Float[np.ndarray, "n n"]) -> float:
    """Sum of a weighting, which is the same for all of them; NaN if there is none."""
    from scipy.linalg import lstsq

    one = np.ones(len(z))

    def good(w: Any) -> bool:
        # Two weightings differ in their sum by no more than this.
        return bool(np.abs(z @ w - 1).max() * np.abs(w).sum() <= 1e-7 * max(1, abs(w.sum())))

    try:
        w = np.linalg.solve(z, one)
        if good(w):
            return float(w.sum())
    except np.linalg.LinAlgError:
        pass
    w = lstsq(z, one, cond=1e-12, lapack_driver="gelsy")[0]
    return float(w.sum()) if good(w) else float("nan")
