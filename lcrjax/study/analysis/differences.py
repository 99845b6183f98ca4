"""Difference in score of two subsets of a dataset, predicted by other datasets."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped
from scipy.optimize import minimize_scalar
from scipy.special import log_ndtr, ndtr

from lcrjax.study.analysis.complete_cases import select_complete_cases
from lcrjax.study.analysis.fixed_effects import centre
from lcrjax.study.analysis.pairs import Matrices, PairBootstrap, Pairs

#: Factors of the root mean square prediction between which the noise's scale is sought.
_SCALES = (1e-3, 1e3)


def slopes(
    y: Float[np.ndarray, " r"], X: Float[np.ndarray, "r k"], datasets: Shaped[np.ndarray, " r"]
) -> Float[np.ndarray, " k"]:
    """Least-squares slopes with an intercept of its own for every dataset."""
    found: np.ndarray = np.linalg.lstsq(centre(X, datasets), centre(y, datasets), rcond=1e-10)[0]
    return found


def noise_scale(
    y: Float[np.ndarray, " r"], X: Float[np.ndarray, "r k"], datasets: Shaped[np.ndarray, " r"]
) -> float:
    r"""Scale s with which $\Phi(d / s)$ is the probability that a predicted difference d is right.

    Each dataset's differences are predicted by the slopes of the others, and s makes which of two
    subsets was better most likely: a probit regression of one coefficient, 1 / s, over all pairs.
    """
    pairs, predicted = Pairs.of(datasets), np.empty(len(y))
    for name in pairs.datasets:
        mine = datasets == name
        predicted[mine] = X[mine] @ slopes(y[~mine], X[~mine], datasets[~mine])
    d = pairs.listed(pairs.differences(predicted))
    better = np.sign(pairs.listed(pairs.differences(y)))
    d, better = d[better != 0], better[better != 0]
    unit = np.sqrt(np.mean(d**2))
    if not unit > 0:
        return np.inf

    def unlikely(log_scale: float) -> float:
        return -float(np.sum(log_ndtr(better * d / (unit * np.exp(log_scale)))))

    best = minimize_scalar(unlikely, bounds=tuple(np.log(_SCALES)), method="bounded")
    return float(unit * np.exp(best.x))


@dataclasses.dataclass(frozen=True, eq=False)
class LeftOut:
    """Differences between subsets of one dataset, predicted by the other datasets.

    Attributes:
        features: By dataset, what predicted it.
        pairs: The pairs.
        sizes: Of each dataset, the sizes of its subsets.
        measured: Of each dataset and pair, the second's score minus the first's.
        predicted: The same, predicted.
        probability: That the second scores better.
    """

    features: dict[str, tuple[str, ...]]
    pairs: Pairs
    sizes: tuple[Float[np.ndarray, " _"], ...]
    measured: tuple[Float[np.ndarray, "_ _"], ...]
    predicted: tuple[Float[np.ndarray, "_ _"], ...]
    probability: tuple[Float[np.ndarray, "_ _"], ...]

    def of_one_size(self) -> "LeftOut":
        """Only pairs of subsets of one size."""
        same = self.pairs.among([n[:, None] == n for n in self.sizes])
        return dataclasses.replace(self, pairs=same)

    @property
    def outcome(self) -> list[np.ndarray]:
        """1 where the second scored better, 0 where the first did, 1/2 where both scored alike."""
        return [(1 + np.sign(d)) / 2 for d in self.measured]

    @property
    def squared_errors(self) -> list[np.ndarray]:
        """Squared error of the probability: its mean is the Brier score."""
        return [(p - o) ** 2 for p, o in zip(self.probability, self.outcome, strict=True)]

    @property
    def right(self) -> list[np.ndarray]:
        """1 where the better was named, 0 where the worse was, 1/2 where either ties."""
        both = zip(self.predicted, self.measured, strict=True)
        return [(1 + np.sign(p) * np.sign(m)) / 2 for p, m in both]


def predict_differences(
    table: pd.DataFrame,
    features: Sequence[str] | Mapping[str, Sequence[str]],
    target: str = "bacc",
) -> LeftOut:
    r"""Predict the difference in score of any two subsets of a dataset from all other datasets.

    The scores of the others are regressed on logs of features with an intercept for each dataset;
    a difference d is the slopes times the difference in logs, and the probability that it is above
    0 is $\Phi(d / s)$. The others alone say s, too, each left out in its turn (`noise_scale`).
    Nothing of a dataset takes part in what is predicted of it.

    Args:
        table: One row per subset, with `dataset` and `size`.
        features: Columns to predict by, positive numbers; or by dataset, those to predict it by,
            such as the others chose.
        target: Score to predict.

    Returns:
        Every pair's difference as it is and as it was predicted, and the probability.

    Raises:
        ValueError: If a column is absent or has no logarithm, or there are fewer than three
            datasets.

    References:
        Not in the paper.
    """
    if "dataset" not in table.columns:
        raise ValueError("the table has no column 'dataset': add it, to leave each out")
    given = features if isinstance(features, Mapping) else None
    every = [tuple(f) for f in given.values()] if given is not None else [tuple(features)]
    names = list(dict.fromkeys(("size", *(name for model in every for name in model))))
    values, rows = select_complete_cases(table, names, (target,))
    datasets = table["dataset"].astype(str).to_numpy()[rows]
    pairs = Pairs.of(datasets)
    if len(pairs.datasets) < 3:
        raise ValueError(
            f"the table has {len(pairs.datasets)} datasets: give three, so that two that predict "
            "the third can each be left out as well"
        )
    y, logs = values[:, 0], dict(zip(names, np.log(values[:, 1:]).T, strict=True))
    used = {d: every[0] if given is None else tuple(given[d]) for d in pairs.datasets}
    predicted, scales = np.empty(len(y)), []
    for name, mine in zip(pairs.datasets, pairs.rows, strict=True):
        X = np.column_stack([logs[feature] for feature in used[name]])
        rest = datasets != name
        predicted[mine] = X[mine] @ slopes(y[rest], X[rest], datasets[rest])
        scales.append(noise_scale(y[rest], X[rest], datasets[rest]))
    differences = pairs.differences(predicted)
    return LeftOut(
        features=used,
        pairs=pairs,
        sizes=tuple(np.exp(logs["size"])[mine].round(6) for mine in pairs.rows),
        measured=pairs.differences(y),
        predicted=differences,
        probability=tuple(ndtr(d / s) for d, s in zip(differences, scales, strict=True)),
    )


def judge_differences(
    found: LeftOut, *, same_size: bool = False, resamples: int = 1000, seed: int = 0
) -> dict[str, float]:
    """Judge predictions of differences, with intervals that do not fit again.

    Args:
        found: What `predict_differences` returned.
        same_size: Judge by pairs of subsets of one size only.
        resamples: Bootstrap resamples; 0 for no intervals.
        seed: The same seed gives the same resamples.

    Returns:
        `r2`, the share of the differences' mean square that is predicted (negative where no
        difference would be the better prediction); `brier`, the mean squared error of the
        probability (a coin's is 0.25); `concordance`, how often the better is named. Each followed
        by its intervals (95 %, see `PairBootstrap`), as `brier_lower_subsets` and so on.

    References:
        Brier (1950), "Verification of forecasts expressed in terms of probability".
    """
    found = found.of_one_size() if same_size else found
    pairs = found.pairs
    told = pairs.among([m != 0 for m in found.measured])
    squares = [m**2 for m in found.measured]
    errors = [(p - m) ** 2 for p, m in zip(found.predicted, found.measured, strict=True)]
    drawn, drawn_told = (PairBootstrap(p, resamples, seed) for p in (pairs, told))
    r2 = 1 - pairs.sums(errors).sum() / pairs.sums(squares).sum()
    kinds: dict[str, tuple[float, PairBootstrap, Matrices, Matrices | None]] = {
        "r2": (r2, drawn, errors, squares),
        "brier": (pairs.mean(found.squared_errors), drawn, found.squared_errors, None),
        "concordance": (told.mean(found.right), drawn_told, found.right, None),
    }
    row: dict[str, float] = {}
    for name, (value, bootstrap, over, under) in kinds.items():
        row[name] = float(value)
        if resamples:
            ends = bootstrap.intervals(over, under)
            if name == "r2":  # of the share that is not predicted
                ends = {
                    f"{side}_{of}": 1 - ends[f"{other}_{of}"]
                    for of in ("subsets", "datasets")
                    for side, other in (("lower", "upper"), ("upper", "lower"))
                }
            row |= {f"{name}_{end}": x for end, x in ends.items()}
    return row
