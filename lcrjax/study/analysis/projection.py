"""Ordinary least squares for many subsets of columns at once, by orthogonal transformations.

The columns that every model shares are projected out once (Frisch, Waugh and Lovell); what is left
is rotated to as many coordinates as there are candidates. Models are then fitted in those few
coordinates by modified Gram-Schmidt, the target taken along as one more column (which makes it as
stable as Householder's), never by normal equations, so that candidates that correlate to within
1e-8 of one keep their digits.
"""

import dataclasses
import functools
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg.lapack import dgeqrf

from lcrjax.study.analysis.regression import Design

#: A column that keeps less than this part of its length after projection is left to `svd_fit`.
SUSPICIOUS = 1e-6
#: Singular values of unit columns below this part of the largest are rounding.
RANK_TOLERANCE = 1e-12


@dataclasses.dataclass(frozen=True, eq=False)
class Projection:
    """A design with its base projected out, in the few coordinates that the candidates span.

    Attributes:
        columns: Row i holds the coordinates of candidate i, of unit length (or zero, where the base
            explains the candidate fully).
        target: Coordinates of the target.
        outside: Squared length of the part of the target that neither base nor candidates reach.
        total: Sum of squares of the target about its mean.
        explained: Part of `total` that the base explains.
        base_rank: Rank of the base, intercept included.
        suspicious: Which candidates lie nearly in the base.
    """

    columns: Float[np.ndarray, "p m"]
    target: Float[np.ndarray, " m"]
    outside: float
    total: float
    explained: float
    base_rank: int
    suspicious: Bool[np.ndarray, " p"]


def orthonormal_basis(A: Float[np.ndarray, "n b"]) -> Float[np.ndarray, "n r"]:
    """Orthonormal basis of the columns' span; its rank is judged on columns of unit length."""
    lengths = np.linalg.norm(A, axis=0)
    U, s, _ = np.linalg.svd(A / np.where(lengths > 0, lengths, 1), full_matrices=False)
    return U[:, s > RANK_TOLERANCE * s[0]]


def project(design: Design) -> Projection:
    """Project the base out of target and candidates, and rotate to the candidates' coordinates."""
    b, p = design.base.shape[1], design.X.shape[1]
    y = design.y - design.y.mean()
    A = np.empty((len(y), b + p + 1), order="F")
    A[:, :b] = design.base / np.linalg.norm(design.base, axis=0)
    A[:, b : b + p], A[:, -1] = design.X, y
    R = np.triu(dgeqrf(A, overwrite_a=True)[0][: b + p + 1])

    # The systematic parameters of two datasets are collinear: the base's own rank comes first.
    U, s, _ = np.linalg.svd(R[:b, :b])
    rank = int(np.sum(s > RANK_TOLERANCE * s[0]))
    R = np.vstack([U.T @ R[:b, b:], R[b:, b:]])
    inner, outer = R[:rank], R[rank:]
    if rank < b:
        outer = np.asarray(np.linalg.qr(outer, mode="r"))

    before, after = np.linalg.norm(R[:, :p], axis=0), np.linalg.norm(outer[:, :p], axis=0)
    inside = after <= 1e-14 * before
    columns = (outer[:p, :p] * np.where(inside, 0, 1 / np.where(inside, 1, after))).T
    return Projection(
        columns=np.ascontiguousarray(columns),
        target=outer[:p, p].copy(),
        outside=float(np.sum(outer[p:, p] ** 2)),
        total=float(y @ y),
        explained=float(np.sum(inner[:, p] ** 2)),
        base_rank=rank,
        suspicious=after <= SUSPICIOUS * before,
    )


def fit_all(
    p: Projection, largest: int
) -> Iterator[tuple[Int[np.ndarray, "c k"], Float[np.ndarray, " c"], Bool[np.ndarray, " c"]]]:
    """Fit every combination of 1, 2, ... `largest` candidates, one size after the other.

    A combination is its prefix and one candidate more. What is left of that candidate after all but
    the prefix's last member are projected out is already known: it belongs to a later sibling of
    the prefix. So each combination costs one projection, whatever its size.

    Yields:
        The combinations of one size in lexicographic order, as indices of candidates; the part of
        the target's sum of squares that each explains beyond the base; and whether it is so nearly
        collinear that `svd_fit` must decide.
    """
    tree = _tree(len(p.columns), largest)
    explained, left, suspicious = np.zeros(1), np.ones(1), np.zeros(1, dtype=bool)
    vectors, targets = p.columns, p.target[None]
    for size, (combinations, parent, sibling) in enumerate(tree, start=1):
        if size > 1:
            along, vectors = vectors[parent], vectors[sibling]
            vectors -= np.einsum("cm,cm->c", along, vectors)[:, None] * along
        length = np.sqrt(np.einsum("cm,cm->c", vectors, vectors))
        left = left[parent] * length
        suspicious = suspicious[parent] | (left < SUSPICIOUS) | p.suspicious[combinations[:, -1]]
        targets = targets[parent]
        scale = 1 / np.maximum(length, SUSPICIOUS)
        part = np.einsum("cm,cm->c", vectors, targets) * scale
        explained = explained[parent] + part**2
        yield combinations, explained, suspicious
        if size < largest:
            vectors = vectors * scale[:, None]
            targets -= part[:, None] * vectors


@functools.lru_cache(maxsize=1)
def _tree(count: int, largest: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """List, size by size, combinations, the position of their prefix, and of the prefix's sibling.

    The sibling is the combination that has the new candidate in the place of the prefix's last.
    """
    combinations = np.arange(count)[:, None]
    parent = sibling = np.zeros(count, dtype=np.intp)
    group_end = np.full(count, count)  # where the combinations with the same prefix end
    levels = [(combinations, parent, sibling)]
    for _ in range(1, largest):
        index = np.arange(len(combinations))
        children = group_end - index - 1
        parent = np.repeat(index, children)
        first = np.cumsum(children) - children
        sibling = np.arange(len(parent)) - first[parent] + parent + 1
        group_end = (first + children)[parent]
        combinations = np.column_stack([combinations[parent], combinations[sibling, -1]])
        levels.append((combinations, parent, sibling))
    return levels


def svd_fit(design: Design, combination: Int[np.ndarray, " k"]) -> tuple[float, int]:
    """Residual sum of squares and rank, with the cut-offs of statsmodels' pseudo-inverse.

    Where columns are collinear up to rounding, the rank is a convention; this is statsmodels'.
    """
    A = np.hstack([design.base, design.X[:, combination]])
    U, s, _ = np.linalg.svd(A, full_matrices=False)
    U = U[:, s > 1e-15 * s[0]]
    residual = design.y - U @ (U.T @ design.y)
    return float(residual @ residual), int(np.sum(s > s[0] * len(s) * np.finfo(float).eps))
