"""Combinations of so many features, ranked by how much of the target each explains."""

import functools
import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lcrjax.study.analysis.projection import fit_all, project, svd_fit
from lcrjax.study.analysis.regression import Design, adjusted_r2, check_rows, design_matrix
from lcrjax.study.columns import FEATURES, PARAMETERS

#: More combinations would not fit in memory comfortably; `best_subsets` goes on from there.
MOST = 1_000_000


def search(
    table: pd.DataFrame,
    target: str = "bacc",
    size: int = 1,
    always: Sequence[str] = PARAMETERS,
    features: Sequence[str] = FEATURES,
) -> pd.DataFrame:
    """Regress the target on every combination of `size` features and rank by adjusted R-squared.

    Each regression has an intercept, the `always` columns and the combination, on natural logs; the
    target is not logged. Equal to statsmodels' OLS, exact collinearity included.

    Args:
        table: One row per subset, as `run_study` returns it.
        target: Column to explain: `bacc`, `acc`, `auc` or any other numeric column.
        size: Number of features in a combination.
        always: Columns in every regression; those constant over the table are dropped.
        features: Candidates; those constant over the table are dropped.

    Returns:
        One row per combination, best first: `features` (tuple of names), `adj_r2`, `r2`, `n` (rows
        used), `rank` (coefficients estimated, intercept included). `attrs` holds `target`, `rows`,
        `rows_missing` (rows left out for missing values), `always` (columns kept) and `dropped`
        (name: reason).

    Raises:
        ValueError: If the table cannot support the regression: see `design_matrix`; also if there
            are no more rows than coefficients, or no combination of that size, or too many to list
            (`best_subsets` finds the best one of every size).

    References:
        Paper, sections III-E, III-F and IV-D.
    """
    return search_sizes(table, target, (size,), always, features)[size]


def search_sizes(
    table: pd.DataFrame,
    target: str = "bacc",
    sizes: Sequence[int] = (1, 2, 3),
    always: Sequence[str] = PARAMETERS,
    features: Sequence[str] = FEATURES,
) -> dict[int, pd.DataFrame]:
    """Do `search` for several sizes in hardly more time than the largest alone needs.

    Args:
        table: One row per subset.
        target: Column to explain.
        sizes: Numbers of features in a combination.
        always: Columns in every regression.
        features: Candidates.

    Returns:
        For each size what `search` returns.

    Raises:
        ValueError: As `search` does.
    """
    for size in sizes:
        if isinstance(size, bool) or int(size) != size or size < 1:
            raise ValueError(f"size is {size!r}: give a whole number of features, at least 1")
    largest = max(sizes)
    d = design_matrix(table, target, features, always)
    count = len(d.features)
    if largest > count:
        raise ValueError(
            f"{count} features vary over the table, too few for combinations of {largest}: "
            "ask for a smaller size"
        )
    for size in range(1, largest + 1):
        if (total := math.comb(count, size)) > MOST:
            raise ValueError(
                f"size is {largest}, and {count} features have {total:,} combinations of "
                f"{size}, too many to list: give size= below {size}, or fewer features="
            )
    p = project(d)
    check_rows(len(d.y), p.base_rank + largest)
    found = {}
    for size, (combinations, explained, suspicious) in enumerate(fit_all(p, largest), start=1):
        if size in sizes:
            r2 = (p.explained + explained) / p.total
            rank = np.full(len(r2), p.base_rank + size)
            for i in np.flatnonzero(suspicious):
                rss, rank[i] = svd_fit(d, combinations[i])
                r2[i] = 1 - rss / p.total
            found[size] = _ranking(d, size, r2, rank, target)
    return found


def _ranking(d: Design, size: int, r2: np.ndarray, rank: np.ndarray, target: str) -> pd.DataFrame:
    n, names = np.full(len(r2), len(d.y)), _names(d.features, size)
    adj_r2 = adjusted_r2(r2, n, rank)
    # Rounding must not decide between equals: they stay in the order of the columns.
    order = np.argsort(-np.round(adj_r2, 12), kind="stable")
    columns = {"features": names, "adj_r2": adj_r2, "r2": r2, "n": n, "rank": rank}
    result = pd.DataFrame({name: values[order] for name, values in columns.items()}, copy=False)
    result.attrs.update(target=target, **d.attrs)
    return result


@functools.lru_cache(maxsize=4)
def _names(features: tuple[str, ...], size: int) -> np.ndarray:
    """Name the combinations in the order of `fit_all`, once for all targets."""
    names = list(itertools.combinations(features, size))
    array = np.empty(len(names), dtype=object)
    array[:] = names
    return array
