"""Predictor of which of two datasets makes the better model, fitted to a study's table."""

import dataclasses
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from lcrjax import __version__
from lcrjax.numerics.listing import listed
from lcrjax.selection import Comparison
from lcrjax.selection.sides import Side
from lcrjax.study.analysis.calibration import reliability
from lcrjax.study.analysis.complete_cases import select_complete_cases
from lcrjax.study.analysis.differences import (
    judge_differences,
    noise_scale,
    predict_differences,
    slopes,
)
from lcrjax.study.columns import PARAMETERS
from lcrjax.study.prediction.sides import check_measures, measure_sides

#: What every study's table has, and two datasets tell of themselves.
USUAL_FEATURES = ("size", "CB_1")
#: What of a dataset is held against the study's, and how it is called in a sentence.
_RANGED = {"size": "size", "n_classes": "classes", "n_pixels": "pixels", "n_channels": "channels"}
#: By how much of a range, in logs, a value may lie beyond its ends and still be called inside.
_MARGIN = 0.05
_Values = dict[str, tuple[float, float]]
#: What was measured of a comparison, while it lives: a prediction and its remark both ask.
_measured: weakref.WeakKeyDictionary[Comparison, dict[Any, _Values]] = weakref.WeakKeyDictionary()


@dataclasses.dataclass(frozen=True)
class FittedPredictor:
    r"""Predictor of the better of two datasets: a `lcrjax.selection.Predictor`.

    A difference in score d is predicted by the coefficients times the difference in logs of the
    features, and the second is better with probability $\Phi(d / s)$.

    Attributes:
        features: Columns of the study's table.
        coefficients: One for each: slopes within datasets.
        scale: s, by which the differences of datasets left out come true as often as is said.
        target: The score that is predicted.
        similarity: With which features without one in brackets are measured.
        datasets: Names of the study's datasets.
        rows: Number of models that it was fitted to.
        ranges: Least and largest value of features and of what datasets are like, in the study.
        left_out: Judgement on the datasets left out in turn: `r2`, `brier`, `concordance`, and
            `error`, the expected calibration error.
        version: Of lcrjax.
    """

    features: tuple[str, ...]
    coefficients: tuple[float, ...]
    scale: float
    target: str
    similarity: str
    datasets: tuple[str, ...]
    rows: int
    ranges: Mapping[str, tuple[float, float]]
    left_out: Mapping[str, float]
    version: str = __version__

    def difference(self, comparison: Comparison) -> float:
        """Predict the score of a model of the second less that of a model of the first.

        Raises:
            NotPredictableError: If a feature cannot be measured of both.
        """
        values = self._measure(comparison)
        logs = [np.log(values[name][1] / values[name][0]) for name in self.features]
        return float(np.dot(self.coefficients, logs))

    def probability(self, comparison: Comparison) -> float:
        """Probability that a model trained on the second is better.

        Raises:
            NotPredictableError: If a feature cannot be measured of both.
        """
        return float(ndtr(self.difference(comparison) / self.scale))

    def remark(self, comparison: Comparison) -> str:
        """Say what a prediction rests on, and where the datasets are outside of that."""
        right = f"{self.left_out['concordance']:.0%}".replace("%", " %")
        said = (
            f"This rests on {self.rows:,} models of {listed(self.datasets)}; of a dataset left out "
            f"it named the better of two subsets in {right} of pairs."
        )
        if outside := self._outside(comparison):
            said += f" Outside of what these learnt from, and so a guess: {'; '.join(outside)}."
        return said

    def _measure(self, comparison: Comparison) -> _Values:
        known = _measured.setdefault(comparison, {})
        key = self.features, self.similarity
        if key not in known:
            known[key] = measure_sides(comparison, *key)
        return known[key]

    def _outside(self, comparison: Comparison) -> list[str]:
        found = []
        for side in (comparison.a, comparison.b):
            for name, value in _described(side).items():
                if not _within(value, *self.ranges[name]):
                    low, high = self.ranges[name]
                    found.append(
                        f"{side.name} has {_RANGED[name]} {value:,.0f} ({low:,.0f} to {high:,.0f})"
                    )
        values = self._measure(comparison)
        for name in (n for n in self.features if n not in _RANGED):
            low, high = self.ranges[name]
            for side, value in zip((comparison.a, comparison.b), values[name], strict=True):
                if not _within(value, low, high):
                    found.append(f"{name} of {side.name} is {value:.3g} ({low:.3g} to {high:.3g})")
        if set(comparison.a.class_names) != set(comparison.b.class_names):
            found.append("one lacks a class of the other, which no subset of a study does")
        return found


def fit_predictor(
    table: pd.DataFrame,
    features: Sequence[str] = USUAL_FEATURES,
    target: str = "bacc",
    *,
    similarity: str = "rmsd",
) -> FittedPredictor:
    """Fit a predictor of the better of two datasets to a study's table.

    Args:
        table: One row per subset, as `read_results` returns it; three datasets at least, since the
            probability is calibrated on datasets that were left out.
        features: Columns to predict by: `size` and class balance, which every table has; others
            after `lcrjax measure-study`. Those that look at images outside of a subset, such as
            `nn_bacc[rmsd:1]`, need a labelled target in a comparison.
        target: Score to predict.
        similarity: What the study's features without a similarity in brackets were measured with.

    Returns:
        The predictor, for `lcrjax.selection.compare(..., predictor=...)`.

    Raises:
        ValueError: If a column is absent, has no logarithm or is not measured of two datasets,
            there are fewer than three datasets, or the features do not vary within any.

    References:
        Not in the paper.
    """
    features = tuple(features)
    check_measures(features)
    found = predict_differences(table, features, target)
    values, rows = select_complete_cases(table, features, (target,))
    y, X, used = values[:, 0], np.log(values[:, 1:]), table.iloc[rows]
    datasets = used["dataset"].astype(str).to_numpy()
    scale, coefficients = noise_scale(y, X, datasets), slopes(y, X, datasets)
    if not np.isfinite(scale):
        raise ValueError(f"{', '.join(features)}: constant in every dataset: give others")
    judged = judge_differences(found, resamples=0)
    judged["error"] = reliability(found, resamples=0).attrs["error"]
    ranged = dict.fromkeys((*features, "size", *PARAMETERS))
    return FittedPredictor(
        features=features,
        coefficients=tuple(map(float, coefficients)),
        scale=scale,
        target=target,
        similarity=similarity,
        datasets=found.pairs.datasets,
        rows=len(rows),
        ranges={name: (float(used[name].min()), float(used[name].max())) for name in ranged},
        left_out=judged,
    )


def _within(value: float, low: float, high: float) -> bool:
    beyond = (high / low) ** _MARGIN
    return low / beyond <= value <= high * beyond


def _described(side: Side) -> dict[str, float]:
    """What a side is like; the shape of images alone."""
    found = {"size": float(len(side)), "n_classes": float(len(side.class_names))}
    if side.kind == "images":
        shape = np.shape(side.elements)[1:]
        found["n_pixels"] = float(np.prod(shape[:2]))
        found["n_channels"] = float(shape[2] if len(shape) > 2 else 1)
    return found
