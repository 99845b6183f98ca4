"""Best combination of features of every size, by an exact branch and bound."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lcrjax.study.analysis.feature_sets import score
from lcrjax.study.analysis.projection import Projection, project
from lcrjax.study.analysis.regression import check_rows, design_matrix
from lcrjax.study.columns import FEATURES, PARAMETERS

#: Numbers held by the nodes that are worked on at once: about a processor's cache.
_BATCH = 1 << 18
#: Relative to the whole: differences below this are rounding and never reopen a search.
_TIE = 1e-13


def best_subsets(
    table: pd.DataFrame,
    target: str = "bacc",
    always: Sequence[str] = PARAMETERS,
    features: Sequence[str] = FEATURES,
) -> pd.DataFrame:
    """Find, for every number of features, the combination that explains most of the target.

    Exact: every combination is either fitted or excluded by a bound. Sizes beyond what the table's
    rows support are left out.

    Args:
        table: One row per subset.
        target: Column to explain.
        always: Columns in every regression.
        features: Candidates; those constant over the table are dropped.

    Returns:
        One row per size: `features`, `size`, `adj_r2`, `r2`, `bic`, `rank`, `held_out_r2`,
        `held_out_r2_shifted` (see `score`). `attrs` as in `search`.

    Raises:
        ValueError: As `design_matrix` does, or if there are not even rows enough for one feature.

    References:
        Furnival & Wilson (1974), Regressions by leaps and bounds; Gatu & Kontoghiorghes (2006),
        Branch-and-bound algorithms for computing the best-subset regression models.
    """
    d = design_matrix(table, target, features, always)
    p = project(d)
    check_rows(len(d.y), d.base.shape[1] + 1)
    chosen, _ = best_of_every_size(p)
    most = len(d.y) - d.base.shape[1] - 1
    rows = [score(d, [d.features[i] for i in subset]) for subset in chosen[1 : most + 1]]
    result = pd.DataFrame(rows)
    result.attrs.update(target=target, **d.attrs)
    return result


def best_of_every_size(
    p: Projection, *, bounds: bool = True
) -> tuple[list[Int[np.ndarray, "_"]], Float[np.ndarray, " sizes"]]:
    """Find the combination of every size with the least residual sum of squares.

    Candidates are decided upon one after the other. A node of the tree holds the triangular factor
    of what is left of the undecided candidates and of the target once the chosen ones are projected
    out. Choosing the next candidate strikes the factor's first row and column; rejecting it strikes
    the column and restores the triangle by rotations. So no step loses digits to collinearity, and
    the factor's last diagonal element bounds everything below the node: no combination of a node's
    candidates leaves less than all of them together do.

    Args:
        p: The projected design.
        bounds: Whether to leave out what a bound excludes; otherwise all 2^p are run through.

    Returns:
        For sizes 0 to p the indices of the best combination, ascending, and its residual sum of
        squares.
    """
    count = len(p.columns)
    order = _order(p)
    factor = np.linalg.qr(np.column_stack([p.columns[order].T, p.target]), mode="r")
    square = np.zeros((count + 1, count + 1))
    square[: len(factor)] = factor
    full = float(p.target @ p.target)
    best = np.full(count + 1, np.inf)
    codes = np.zeros(count + 1, dtype=np.int64)
    _offer(best, codes, np.array([full]), np.array([0]), np.array([0]))
    if bounds:
        _start(p, order, best, codes)

    slack = _TIE * full
    stack = [(square[None], np.zeros(1, np.int64), np.zeros(1, np.int64))]
    while stack:
        factors, sizes, chosen = stack.pop()
        left = factors.shape[1] - 1
        if not left:
            continue
        most = max(1, _BATCH // (left + 1) ** 2)
        if len(factors) > most:
            stack += [
                (factors[i : i + most], sizes[i : i + most], chosen[i : i + most])
                for i in range(0, len(factors), most)
            ]
            continue
        bit = np.int64(1) << (count - left)
        taken = factors[:, 1:, 1:]
        residual = np.einsum("bi,bi->b", taken[:, :, -1], taken[:, :, -1])
        _offer(best, codes, residual, sizes + 1, chosen | bit)
        refused = _strike_first_column(factors)

        factors = np.concatenate([refused, taken])
        chosen = np.concatenate([chosen, chosen | bit])
        sizes = np.concatenate([sizes, sizes + 1])
        if bounds and left > 1:
            # Only larger sizes can still come of a node; one of their records must be beatable.
            hardest = np.maximum.accumulate(best[::-1])[::-1] - slack
            alive = factors[:, -1, -1] ** 2 < hardest[np.minimum(sizes + 1, count)]
            factors, sizes, chosen = factors[alive], sizes[alive], chosen[alive]
        if len(factors):
            stack.append((factors, sizes, chosen))
    subsets = [np.sort(order[np.flatnonzero(code >> np.arange(count) & 1)]) for code in codes]
    return subsets, best + p.outside


def _offer(
    best: np.ndarray, codes: np.ndarray, residual: np.ndarray, sizes: np.ndarray, chosen: np.ndarray
) -> None:
    """Enter new records."""
    for size in np.unique(sizes):
        mine = np.flatnonzero(sizes == size)
        i = mine[np.argmin(residual[mine])]
        if residual[i] < best[size]:
            best[size], codes[size] = residual[i], chosen[i]


def _strike_first_column(factors: Float[np.ndarray, "b r r"]) -> Float[np.ndarray, "b r-1 r-1"]:
    """Take the first column out of upper triangular factors and make them triangular again."""
    work = factors[:, :, 1:].copy()
    for i in range(work.shape[2]):
        x, y = work[:, i, i], work[:, i + 1, i]
        length = np.hypot(x, y)
        safe = np.where(length > 0, length, 1)
        c, s = np.where(length > 0, x / safe, 1)[:, None], (y / safe)[:, None]
        upper, lower = work[:, i, i:], work[:, i + 1, i:]
        work[:, i, i:], work[:, i + 1, i:] = c * upper + s * lower, c * lower - s * upper
    return work[:, :-1]


def _start(p: Projection, order: np.ndarray, best: np.ndarray, codes: np.ndarray) -> None:
    """Enter the combinations that removing one candidate at a time arrives at."""
    count = len(order)
    place = np.argsort(order)

    def enter(subset: np.ndarray, residual: float) -> None:
        code = np.sum(np.int64(1) << place[subset])
        _offer(best, codes, np.array([residual]), np.array([len(subset)]), np.array([code]))

    subset = np.arange(count)
    enter(subset, _residual(p, subset))
    while len(subset) > 1:
        residuals = _drop_one(p, subset)
        i = int(np.argmin(residuals))
        subset = np.delete(subset, i)
        enter(subset, residuals[i])


def _order(p: Projection) -> Int[np.ndarray, " p"]:
    """Most important candidates first: rejecting them early raises the bounds below."""
    residuals = _drop_one(p, np.arange(len(p.columns)))
    return np.argsort(-residuals, kind="stable")


def _residual(p: Projection, subset: np.ndarray) -> float:
    if not len(subset):
        return float(p.target @ p.target)
    U, s, _ = np.linalg.svd(p.columns[subset].T, full_matrices=False)
    U = U[:, s > 1e-14 * s[0]]
    rest = p.target - U @ (U.T @ p.target)
    return float(rest @ rest)


def _drop_one(p: Projection, subset: np.ndarray) -> np.ndarray:
    return np.array([_residual(p, np.delete(subset, i)) for i in range(len(subset))])
