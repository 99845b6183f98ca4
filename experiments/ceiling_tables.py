"""Tables of the ceiling: the share of variance, and of pairs, that a predictor can explain."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.measures_tables import write_table

#: Scores under either rule by which models are stopped.
RULES = ("bacc", "bacc_beyond")
KEYS = ["dataset", "n", "subset"]
_LEVEL, _RESAMPLES, _SEED = 0.95, 2_000, 0


def ceiling(rows: pd.DataFrame, target: str, scores: pd.DataFrame | None = None) -> pd.DataFrame:
    r"""Estimate what can be explained of scores that differ between trainings of one subset.

    A predictor that knows the expected score of each subset explains $1 - \sigma^2 / V$ of the
    variance V of single scores, where $\sigma^2$ is the variance among trainings of one subset:
    both within datasets (R²) or within datasets and sizes. Of two subsets of one size it names the
    better with probability $1/2 + \arcsin(\rho) / \pi$, $\rho^2 = 1 - \sigma^2 / V$, if scores are
    normal (Sheppard 1899).

    Args:
        rows: One row per training: `dataset`, `n`, `subset` and the target.
        target: Column of scores.
        scores: One row per subset, of all whose variance is to be explained; those of sizes that
            `rows` lack are taken to differ between seeds as those of the nearest size do. None for
            the subsets of `rows`.

    Returns:
        One row per dataset, and one for all: `dataset`, `subsets`, `trainings`, `sd_seeds` and
        `sd_all` (within datasets) in points (100 is all), `r2` and `concordance` with intervals
        (95 %) of a bootstrap over subsets; in the last row also of a cluster bootstrap over
        datasets, `..._datasets`. Its variances are pooled, its concordance is the mean over
        datasets.
    """
    parts = {str(name): _of_dataset(part, target) for name, part in rows.groupby("dataset")}
    whole: dict[str, pd.DataFrame | None] = dict.fromkeys(parts)
    if scores is not None:
        points = scores[["n"]].assign(score=100 * scores[target])
        whole = {str(name): part for name, part in points.groupby(scores["dataset"])}
    draw = np.random.default_rng(_SEED)
    out, draws = [], []
    for name, part in parts.items():
        found = _variances(part, whole[name])
        again = [
            _variances(_redrawn(part, draw), _redrawn(whole[name], draw)) for _ in range(_RESAMPLES)
        ]
        draws.append(again)
        out.append({"dataset": name, **_counts(part), **_said(found[None], np.array(again)[None])})
    found = np.array([_variances(part, whole[name]) for name, part in parts.items()])
    row = {"dataset": "all", **_counts(pd.concat(parts.values()))}
    row |= _said(found, np.array(draws))
    clusters = draw.integers(0, len(found), (_RESAMPLES, len(found)))
    over = np.array([_summary(found[pick])[:2] for pick in clusters])
    for name, ends in zip(("r2", "concordance"), over.T, strict=True):
        row[f"{name}_low_datasets"], row[f"{name}_high_datasets"] = _interval(ends)
    return pd.DataFrame([*out, row])


def _of_dataset(rows: pd.DataFrame, target: str) -> pd.DataFrame:
    """Mean, variance and number of one dataset's scores, a row for each subset."""
    found = (100 * rows[target]).groupby([rows[key] for key in KEYS])
    return found.agg(mean="mean", seeds=lambda x: x.var(ddof=1), trainings="count").reset_index()


def _redrawn(part: pd.DataFrame | None, draw: np.random.Generator) -> pd.DataFrame | None:
    return None if part is None else part.iloc[draw.integers(0, len(part), len(part))]


def _variances(part: pd.DataFrame | None, scores: pd.DataFrame | None) -> np.ndarray:
    """Within a dataset: variance among seeds, of single scores, and of these at one size.

    With them weights of the first and the second: subsets, and degrees of freedom.
    """
    assert part is not None
    if scores is None:
        seeds = part["seeds"].mean()
        # The variance of single scores: that of the means lacks what averaging took away.
        lost = seeds - (part["seeds"] / part["trainings"]).mean()
        values = part["mean"].to_numpy()
        sizes = part["n"].to_numpy()
    else:
        each = part.groupby("n")["seeds"].mean()
        values, sizes, lost = scores["score"].to_numpy(), scores["n"].to_numpy(), 0.0
        seeds = each.reindex(sizes, method="nearest").mean()
    of_size = np.unique(sizes, return_inverse=True)[1]
    apart = values - (np.bincount(of_size, values) / np.bincount(of_size))[of_size]
    freedom = len(values) - of_size.max() - 1
    at_size = (apart @ apart) / freedom + lost if freedom else np.nan
    return np.array([seeds, values.var(ddof=1) + lost, at_size, len(values), len(values) - 1])


def _summary(found: np.ndarray) -> np.ndarray:
    """R², concordance, and the two standard deviations, of one or more datasets."""
    seeds, everything, at_size, count, freedom = found.T
    noise = np.average(seeds, weights=count)
    total = np.average(everything, weights=freedom)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = np.sqrt(np.clip(1 - seeds / at_size, 0, 1))
    concordance = np.nanmean(0.5 + np.arcsin(rho) / np.pi) if np.isfinite(rho).any() else np.nan
    return np.array([1 - noise / total, concordance, np.sqrt(noise), np.sqrt(total)])


def _said(found: np.ndarray, draws: np.ndarray) -> dict[str, float]:
    """Estimates of (datasets, 5) variances, and intervals from (datasets, resamples, 5) of them."""
    r2, concordance, seeds, everything = _summary(found)
    again = np.array([_summary(draws[:, i])[:2] for i in range(draws.shape[1])])
    (low, high), (lowest, highest) = map(_interval, again.T)
    return {
        "sd_seeds": seeds, "sd_all": everything, "r2": r2, "r2_low": low, "r2_high": high,
        "concordance": concordance, "concordance_low": lowest, "concordance_high": highest,
    }  # fmt: skip


def _counts(part: pd.DataFrame) -> dict[str, int]:
    return {"subsets": len(part), "trainings": int(part["trainings"].sum())}


def _interval(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.nanquantile(draws, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def as_text(found: pd.DataFrame) -> pd.DataFrame:
    """The same with intervals in words."""

    def said(row: dict, name: str) -> str:
        text = f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f}"
        if row["dataset"] == "all":
            low, high = row[f"{name}_low_datasets"], row[f"{name}_high_datasets"]
            text += f"; over datasets {low:.3f} to {high:.3f}"
        return text + ")"

    rows = found.to_dict("records")
    return pd.DataFrame(
        {
            "dataset": found["dataset"],
            "subsets": found["subsets"],
            "trainings": found["trainings"],
            "between seeds, points": found["sd_seeds"].round(1),
            "in all, points": found["sd_all"].round(1),
            "R² at most": [said(row, "r2") for row in rows],
            "concordance at equal size at most": [said(row, "concordance") for row in rows],
        }
    )


def write(rows: pd.DataFrame, panel: pd.DataFrame, folder: Path) -> None:
    """Write a table for each rule, and one for the variance of the whole panel.

    At the criterion the panel's own training is one more.
    """
    first = panel.merge(rows[KEYS].drop_duplicates(), on=KEYS)[[*KEYS, "bacc"]]
    for target in RULES:
        every = pd.concat([rows, first]) if target == "bacc" else rows
        every = every.dropna(subset=[target])
        tables = {target: ceiling(every, target)}
        if target == "bacc":
            tables["panel"] = ceiling(every, target, panel)
        for name, found in tables.items():
            found.to_csv(folder / f"ceiling-{name}.csv", index=False, float_format="%.6g")
            write_table(as_text(found), folder, f"table-{name}")
