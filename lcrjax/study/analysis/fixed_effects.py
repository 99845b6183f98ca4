"""What a feature explains within a dataset, differences between datasets taken out."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lcrjax.study.analysis.leave_one_out import dataset_labels
from lcrjax.study.analysis.projection import orthonormal_basis
from lcrjax.study.analysis.regression import check_rows, design
from lcrjax.study.columns import SINGLES


def within_r2(
    table: pd.DataFrame,
    models: Sequence[Sequence[str]] = SINGLES,
    target: str = "bacc",
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
        ValueError: As `design` does; also if there are fewer than two datasets, or no more rows
            than datasets and features.

    References:
        Not in the paper.
    """
    names = tuple(dict.fromkeys(name for model in models for name in model))
    d = design(table, target, names, ())
    labels = dataset_labels(table, d)
    if labels is None:
        raise ValueError("With one dataset everything is within it; use search for its regressions")
    _, index = np.unique(labels, return_inverse=True)
    n, n_datasets = len(d.y), index.max() + 1
    check_rows(n, n_datasets + max(map(len, models)))

    def centre(values: np.ndarray) -> np.ndarray:
        membership = np.eye(n_datasets)[index]
        means = membership.T @ values / membership.sum(axis=0)[:, None]
        return values - means[index]

    y = d.y[:, None] - d.y.mean()
    y_within = centre(y)
    total, total_within = float(np.sum(y**2)), float(np.sum(y_within**2))
    if total_within <= 1e-24 * total:
        raise ValueError(f"{target!r} does not vary within any dataset")
    centred, X = centre(d.X), d.X - d.X.mean(axis=0)
    varies = np.linalg.norm(centred, axis=0) > 1e-12 * np.linalg.norm(d.X, axis=0)
    rows = []
    for model in models:
        columns = [d.features.index(name) for name in model if name in d.features]
        inside = [c for c in columns if varies[c]]
        row = {"features": tuple(model), "adj_r2_within": np.nan, "r2_within": np.nan}
        if inside:
            Q = orthonormal_basis(centred[:, inside])
            r2 = float(np.sum((Q.T @ y_within) ** 2)) / total_within
            free = n - n_datasets
            row["adj_r2_within"] = 1 - free / (free - Q.shape[1]) * (1 - r2)
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
