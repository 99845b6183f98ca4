"""Bootstrap of adjusted R-squared: how certain it is, and that one feature beats another."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from lcrjax.study.analysis.projection import orthonormal_basis
from lcrjax.study.analysis.regression import Design, adjusted_r2, check_rows, design_matrix
from lcrjax.study.columns import PARAMETERS, SINGLES

#: Resamples weighed at once; part of the result's definition, since it orders the random numbers.
CHUNK = 250
#: Eigenvalues of a resample's Gram matrix below this are rank lost: columns are orthonormal before.
RANK_TOLERANCE = 1e-9
#: Differences of R-squared below this are rounding.
_TIE = 1e-9


@dataclasses.dataclass(frozen=True, eq=False)
class Bootstrap:
    """Adjusted R-squared of several models on the table and on every resample of it.

    All models see the same resamples, so that differences between them are paired. Intervals are
    percentile intervals, shifted so that the draws' mean is the table's own value.

    Attributes:
        models: The features of each model.
        adj_r2: Adjusted R-squared on the table itself.
        draws: Adjusted R-squared on each resample.
        over: What was resampled, "subsets" or "datasets".
    """

    models: tuple[tuple[str, ...], ...]
    adj_r2: Float[np.ndarray, " m"]
    draws: Float[np.ndarray, "r m"]
    over: str

    def intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Intervals at a level: `features`, `adj_r2`, `lower`, `upper`, one row per model."""
        lower, upper = np.quantile(_centred(self.draws, self.adj_r2), _tails(level), axis=0)
        return pd.DataFrame(
            {"features": self.models, "adj_r2": self.adj_r2, "lower": lower, "upper": upper}
        )

    def difference(
        self, first: str | Sequence[str], second: str | Sequence[str], level: float = 0.95
    ) -> pd.Series:
        """How much more of the target one model explains than another.

        Args:
            first: A model's features, or the name of its only one.
            second: The model that it is compared with.
            level: Coverage of the interval.

        Returns:
            `difference` of adjusted R-squared, its `lower` and `upper` bound, and `certainty`: the
            share of resamples in which the first is better (ties count half).

        Raises:
            ValueError: If a model was not among those resampled.
        """
        i, j = self._index(first), self._index(second)
        difference = self.adj_r2[i] - self.adj_r2[j]
        draws = _centred(self.draws[:, i] - self.draws[:, j], difference)
        lower, upper = np.quantile(draws, _tails(level))
        certainty = np.mean((draws > _TIE) + 0.5 * (np.abs(draws) <= _TIE))
        names = ["difference", "lower", "upper", "certainty"]
        return pd.Series([difference, lower, upper, certainty], names)

    def _index(self, model: str | Sequence[str]) -> int:
        wanted = (model,) if isinstance(model, str) else tuple(model)
        for i, features in enumerate(self.models):
            if set(features) == set(wanted):
                return i
        raise ValueError(f"no model has the features {', '.join(wanted)}: name a resampled one")


def bootstrap(
    table: pd.DataFrame,
    models: Sequence[Sequence[str]] = SINGLES,
    target: str = "bacc",
    always: Sequence[str] = PARAMETERS,
    *,
    over: str = "subsets",
    resamples: int = 2000,
    seed: int = 0,
) -> Bootstrap:
    """Resample the table and regress again, thousands of times at once.

    Over subsets, rows are drawn with replacement within each dataset: how would the answer change
    with other subsets of the same datasets? Over datasets, whole datasets are drawn with
    replacement: how would it change with other datasets? The second is the harder question, and
    with few datasets only a rough answer to it.

    Args:
        table: One row per subset; its column `dataset`, if any, names the dataset.
        models: Sets of features. Features constant over the table are left out.
        target: Column to explain.
        always: Columns in every regression.
        over: "subsets" or "datasets".
        resamples: Number of resamples.
        seed: The same seed gives the same resamples.

    Returns:
        Adjusted R-squared of every model on every resample.

    Raises:
        ValueError: As `design_matrix` does; also if a model has no feature that varies, there are
            no more rows than coefficients, or fewer than two datasets to resample.
    """
    if over not in ("subsets", "datasets"):
        raise ValueError(f"over is {over!r}: give 'subsets' or 'datasets'")
    if resamples < 1:
        raise ValueError(f"resamples is {resamples}: give at least 1")
    names = tuple(dict.fromkeys(name for model in models for name in model))
    d = design_matrix(table, target, names, always)
    kept = tuple(tuple(name for name in model if name in d.features) for model in models)
    for model, left in zip(models, kept, strict=True):
        if not left:
            raise ValueError(
                f"the model {', '.join(model)} is constant over the table: give features that vary"
            )
    check_rows(len(d.y), d.base.shape[1] + max(map(len, kept)))
    if over == "datasets" and d.datasets is None:
        raise ValueError("the table has one dataset: to resample them, give at least two datasets")
    labels = np.zeros(len(d.y)) if d.datasets is None else d.datasets
    strata = np.unique(labels, return_inverse=True)[1]

    products, triangles = _products(d, kept)
    rng = np.random.default_rng(seed)
    if over == "datasets":  # each of them a row of one stratum
        products = np.stack([products[strata == s].sum(axis=0) for s in range(strata.max() + 1)])
        strata = np.zeros(len(products), dtype=np.intp)
    weights = _row_weights(rng, strata, resamples)
    draws = np.concatenate([_adjusted_r2(w @ products, triangles) for w in weights])
    estimate = _adjusted_r2(products.sum(axis=0, keepdims=True), triangles)[0]
    return Bootstrap(kept, estimate, draws, over)


def _tails(level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise ValueError(f"level is {level}: give a number between 0 and 1")
    return (1 - level) / 2, (1 + level) / 2


def _centred(draws: np.ndarray, estimate: np.ndarray | float) -> np.ndarray:
    """Take out the bootstrap's bias.

    A resample repeats rows, so a model of many features fits it better than it fits the table.
    Uncorrected percentile intervals of 20 features on 120 rows cover the truth 73 % of the time,
    shifted ones 93 %; for single features the two are the same.
    """
    return draws - draws.mean(axis=0) + estimate


def _row_weights(rng: np.random.Generator, strata: np.ndarray, resamples: int) -> Iterator:
    for start in range(0, resamples, CHUNK):
        count = min(CHUNK, resamples - start)
        weights = np.empty((count, len(strata)))
        for s in range(strata.max() + 1):
            rows = np.flatnonzero(strata == s)
            weights[:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), count)
        yield weights


def _products(d: Design, models: Sequence[Sequence[str]]) -> tuple[np.ndarray, list[tuple]]:
    """Products of columns whose weighted sums make every model's weighted Gram matrix.

    Each model's columns are orthonormal over the table, so that its Gram matrix on a resample is
    well conditioned however collinear its features are. The first three columns, common to all
    models, are 1, y and y squared.
    """
    y = d.y - d.y.mean()
    y /= np.linalg.norm(y)
    blocks, triangles = [np.column_stack([np.ones_like(y), y, y * y])], []
    for model in models:
        columns = [d.features.index(name) for name in model]
        Q = orthonormal_basis(np.hstack([d.base, d.X[:, columns]]))
        i, j = np.triu_indices(Q.shape[1])
        blocks += [Q[:, i] * Q[:, j], Q * y[:, None]]
        triangles.append((i, j))
    return np.hstack(blocks), triangles


def _adjusted_r2(sums: np.ndarray, triangles: list[tuple]) -> np.ndarray:
    """Adjusted R-squared of every model from weighted sums of products, one resample a row."""
    n, y, yy = sums[:, :3].T
    total = yy - y**2 / n
    result = np.empty((len(sums), len(triangles)))
    at = 3
    for m, (i, j) in enumerate(triangles):
        r = j[-1] + 1
        gram = np.empty((len(sums), r, r))
        gram[:, i, j] = gram[:, j, i] = sums[:, at : at + len(i)]
        at += len(i)
        values, vectors = np.linalg.eigh(gram)
        parts = np.einsum("brk,br->bk", vectors, sums[:, at : at + r])
        at += r
        alive = values > RANK_TOLERANCE * values[:, -1:]
        explained = np.sum(np.where(alive, parts**2 / np.where(alive, values, 1), 0), axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            result[:, m] = adjusted_r2(1 - (yy - explained) / total, n, alive.sum(axis=1))
    return result
