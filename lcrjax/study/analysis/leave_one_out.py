"""Leaving one dataset out: prediction for a dataset that a regression has not seen."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from lcrjax.study.analysis.fixed_effects import centre
from lcrjax.study.analysis.regression import Design, design_matrix
from lcrjax.study.columns import PARAMETERS


def leave_one_dataset_out(
    table: pd.DataFrame,
    features: Sequence[str] = ("A_0",),
    target: str = "bacc",
    always: Sequence[str] = PARAMETERS,
) -> pd.DataFrame:
    """Fit on all datasets but one, predict that one, and do so for each.

    Adjusted R-squared tells how well a feature describes the datasets at hand; this tells what it
    is worth on a new one. The systematic parameters take few distinct values, so their part of such
    a prediction extrapolates; `always=()` predicts from the features alone.

    Args:
        table: One row per subset; its column `dataset` names the dataset.
        features: Columns of the model besides `always`.
        target: Column to predict.
        always: Columns in every regression.

    Returns:
        One row per dataset: `dataset`, `n`, `r2` (1 - squared error / variance about the dataset's
        own mean; negative where the dataset's mean would predict better), `r2_shifted` (the same
        after the mean error is forgiven: do the slopes carry over?), `bias` (mean of predicted -
        measured), `rmse`. `attrs` holds `r2` over all rows about their common mean, and
        `r2_shifted` over all rows about each dataset's mean.

    Raises:
        ValueError: As `design_matrix` does, or if the table has fewer than two datasets.

    References:
        Not in the paper.
    """
    d = design_matrix(table, target, features, always)
    datasets = d.datasets
    if datasets is None:
        raise ValueError("the table has one dataset: to leave one out, give at least two datasets")
    predicted = _predict_held_out(d, np.arange(len(d.features)), datasets)
    rows = []
    for name in pd.unique(datasets):
        mine = datasets == name
        y, error = d.y[mine], (predicted - d.y)[mine]
        bias = error.mean()
        with np.errstate(divide="ignore", invalid="ignore"):
            r2, shifted = _r2(y, y + error), _r2(y, y + error - bias)
        rows.append((name, len(y), r2, shifted, bias, np.sqrt(np.mean(error**2))))
    result = pd.DataFrame(rows, columns=["dataset", "n", "r2", "r2_shifted", "bias", "rmse"])
    shifted = _r2(centre(d.y, datasets), centre(predicted, datasets))
    result.attrs.update(target=target, **d.attrs, r2=_r2(d.y, predicted), r2_shifted=shifted)
    return result


def held_out_r2(d: Design, columns: Int[np.ndarray, " k"]) -> tuple[float, float]:
    """R-squared over all rows of leave-one-dataset-out predictions, about the common mean.

    Twice: as it is, and about each dataset's own mean after each dataset's mean error is forgiven.
    """
    assert d.datasets is not None
    predicted = _predict_held_out(d, columns, d.datasets)
    return _r2(d.y, predicted), _r2(centre(d.y, d.datasets), centre(predicted, d.datasets))


def _r2(y: np.ndarray, predicted: np.ndarray) -> float:
    return float(1 - np.sum((predicted - y) ** 2) / np.sum((y - y.mean()) ** 2))


def _predict_held_out(
    d: Design, columns: np.ndarray, datasets: np.ndarray
) -> Float[np.ndarray, " n"]:
    A = np.hstack([d.base[:, 1:], d.X[:, columns]])
    predicted = np.empty(len(d.y))
    for name in np.unique(datasets):
        out = datasets == name
        X, y = A[~out], d.y[~out]
        mean, scale = X.mean(axis=0), X.std(axis=0)
        # A column without variation among the others has nothing to say about this dataset.
        scale = np.where(scale > 1e-12 * (1 + np.abs(mean)), scale, np.inf)
        coefficients = np.linalg.lstsq((X - mean) / scale, y - y.mean(), rcond=1e-10)[0]
        predicted[out] = y.mean() + (A[out] - mean) / scale @ coefficients
    return predicted
