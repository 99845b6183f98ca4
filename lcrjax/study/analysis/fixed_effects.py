"""Fixed effects of datasets, and what a feature explains once they are taken out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from lcrjax.study.analysis.projection import orthonormal_basis
from lcrjax.study.analysis.regression import adjusted_r2, check_rows, design_matrix
from lcrjax.study.columns import SINGLES


def centre(
    values: Float[np.ndarray, "n *columns"], groups: Shaped[np.ndarray, " n"]
) -> Float[np.ndarray, "n *columns"]:
    """Take every group's mean out of its values, column by column."""
    index = np.unique(groups, return_inverse=True)[1]
    members = np.eye(index.max() + 1)[index]
    means = ((members.T @ values).T / members.sum(axis=0)).T
    centred: np.ndarray = values - means[index]
    return centred


def fixed_effects_r2(
    table: pd.DataFrame, models: Sequence[Sequence[str]] = SINGLES, target: str = "bacc"
) -> pd.DataFrame:
    """Regress with an intercept of its own for every dataset (fixed effects).

    A feature that mostly tells datasets apart (A_0 grows with the number of classes) can do well
    over a whole table and say nothing about which subset of a dataset is better. Here each
    dataset's means of target and log features are taken out first, so that only the latter counts.

    Args:
        table: One row per subset; its column `dataset` names the dataset.
        models: Sets of features; those constant over the table are left out.
        target: Column to explain.

    Returns:
        One row per model, best first: `features`, `adj_r2_within`, `r2_within` (share explained of
        the target's variance within datasets), `r2_pooled` (the same features alone over the whole
        table, datasets not told apart). Models that do not vary within any dataset have NaN.
        `attrs["share_within"]` is the part of the target's variance that lies within datasets.

    Raises:
        ValueError: As `design_matrix` does; also if there are fewer than two datasets, or no more
            rows than datasets and features.

    References:
        Not in the paper.
    """
    names = tuple(dict.fromkeys(name for model in models for name in model))
    d = design_matrix(table, target, names, ())
    if d.datasets is None:
        raise ValueError("the table has one dataset, all is within it: use search for regressions")
    found, index = np.unique(d.datasets, return_inverse=True)
    n, n_datasets = len(d.y), len(found)
    check_rows(n, n_datasets + max(map(len, models)))
    y = d.y - d.y.mean()
    within = centre(np.column_stack([y, d.X]), index)
    y_within, centred = within[:, 0], within[:, 1:]
    total, total_within = float(np.sum(y**2)), float(np.sum(y_within**2))
    if total_within <= 1e-24 * total:
        raise ValueError(f"{target!r} does not vary within any dataset: explain a column that does")
    X = d.X - d.X.mean(axis=0)
    varies = np.linalg.norm(centred, axis=0) > 1e-12 * np.linalg.norm(d.X, axis=0)
    rows = []
    for model in models:
        columns = [d.features.index(name) for name in model if name in d.features]
        inside = [c for c in columns if varies[c]]
        row = {"features": tuple(model), "adj_r2_within": np.nan, "r2_within": np.nan}
        if inside:
            Q = orthonormal_basis(centred[:, inside])
            r2 = float(np.sum((Q.T @ y_within) ** 2)) / total_within
            row["adj_r2_within"] = adjusted_r2(r2, n - n_datasets + 1, Q.shape[1] + 1)
            row["r2_within"] = r2
        row["r2_pooled"] = np.nan
        if columns:
            Q = orthonormal_basis(X[:, columns])
            row["r2_pooled"] = float(np.sum((Q.T @ y) ** 2)) / total
        rows.append(row)
    result = pd.DataFrame(rows).sort_values(
        "adj_r2_within", ascending=False, kind="stable", ignore_index=True
    )
    result.attrs.update(target=target, **d.attrs, share_within=total_within / total)
    return result
