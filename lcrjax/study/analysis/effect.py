"""Effect on performance of choosing subsets by one feature instead of another."""

import numpy as np
import pandas as pd

from lcrjax.study.analysis.complete_cases import select_complete_cases


def top_effect(
    table: pd.DataFrame,
    feature: str = "A_0",
    against: str = "size",
    target: str = "bacc",
    *,
    fraction: float = 0.25,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the subsets highest in one feature with those highest in another, dataset by dataset.

    Per dataset, the top subsets by a feature are all at or above its 1 - `fraction` quantile, so
    ties at the border are all in. Intervals (95 %) are of a bootstrap over the dataset's subsets,
    the choice of the top repeated in every resample.

    Args:
        table: One row per subset, with `dataset`.
        feature: Column to choose by.
        against: Column to compare with.
        target: Performance, in [0, 1].
        fraction: Share of the subsets that counts as the top, in (0, 1].
        resamples: Bootstrap resamples.
        seed: The same seed gives the same resamples.

    Returns:
        One row per dataset and a last one, `median`, over the datasets: `dataset`, `n`, `n_feature`
        and `n_against` (subsets in either top), `median_feature`, `median_against`, `difference`
        of the medians with `lower` and `upper`, and their `ratio`. In the last row `difference` and
        `ratio` are medians of those above.

    Raises:
        ValueError: If a column is absent or holds no numbers, or `fraction` lies outside (0, 1].

    References:
        Paper, section IV-D: the 8 % higher BACC of the largest A_0 against the largest size.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction is {fraction}: give a number in (0, 1]")
    if "dataset" not in table.columns:
        raise ValueError("the table has no column 'dataset': add it, to choose within each")
    names = [target, *dict.fromkeys((feature, against))]
    values, used = select_complete_cases(table, (), names)
    datasets = table["dataset"].astype(str).to_numpy()[used]
    rng = np.random.default_rng(seed)
    rows, draws = [], []
    for name, group in pd.DataFrame(values, columns=names).groupby(datasets, sort=True):
        score, first, second = (group[c].to_numpy()[None] for c in (target, feature, against))
        chosen = [_top(values, fraction) for values in (first, second)]
        medians = [float(_medians(score, top)[0]) for top in chosen]
        pick = rng.integers(0, len(group), (resamples, len(group)))
        resampled = (_top(values[0][pick], fraction) for values in (first, second))
        draws.append(np.subtract(*(_medians(score[0][pick], top) for top in resampled)))
        rows.append(
            {
                "dataset": name,
                "n": len(group),
                "n_feature": int(chosen[0].sum()),
                "n_against": int(chosen[1].sum()),
                "median_feature": medians[0],
                "median_against": medians[1],
                "difference": medians[0] - medians[1],
                **_interval(draws[-1]),
                "ratio": medians[0] / medians[1] if medians[1] else np.nan,
            }
        )
    result = pd.DataFrame(rows)
    last = {
        "dataset": "median",
        "n": int(result["n"].sum()),
        "difference": result["difference"].median(),
        **_interval(np.median(draws, axis=0)),
        "ratio": result["ratio"].median(),
    }
    result = pd.concat([result, pd.DataFrame([last])], ignore_index=True)
    result = result.astype({"n_feature": "Int64", "n_against": "Int64"})
    result.attrs = {"rows": len(used), "rows_missing": len(table) - len(used), "target": target}
    return result


def _top(values: np.ndarray, fraction: float) -> np.ndarray:
    """Which values of each row are at or above its quantile."""
    border = np.quantile(values, 1 - fraction, axis=1, keepdims=True, method="inverted_cdf")
    return values >= border


def _medians(score: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Median of the chosen scores of each row; at least one is chosen."""
    ordered = np.sort(np.where(chosen, score, np.inf), axis=1)
    count = chosen.sum(axis=1)
    rows = np.arange(len(ordered))
    return (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2


def _interval(draws: np.ndarray) -> dict[str, float]:
    lower, upper = np.quantile(draws, [0.025, 0.975])
    return {"lower": float(lower), "upper": float(upper)}
