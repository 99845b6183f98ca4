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
    fraction: float | None = 0.25,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the subsets highest in one feature with those highest in another, dataset by dataset.

    Both tops of a dataset hold the same number of subsets, `fraction` of all, rounded. Sizes have
    few values, so which of the subsets tied at the border are in is random: a top's median is its
    mean over all orders of the tied, computed exactly. Intervals (95 %) are of a bootstrap over the
    dataset's subsets, the choice of the tops repeated in every resample.

    With `fraction=None` the tops are the last boxes of the paper's figures 3c and 3b: the highest
    of as many bins of equal count as `against` has values, and the subsets at its highest value.
    They are of different numbers where the values of `against` are unequally frequent.

    Args:
        table: One row per subset, with `dataset`.
        feature: Column to choose by.
        against: Column to compare with.
        target: Performance, in [0, 1].
        fraction: Share of the subsets that counts as the top, in (0, 1]; None for figure 3's.
        resamples: Bootstrap resamples.
        seed: The same seed gives the same resamples.

    Returns:
        One row per dataset and a last one, `median`, over the datasets: `dataset`, `n`, `n_feature`
        and `n_against` (subsets in either top), `median_feature`, `median_against`, their
        `difference`, and their `ratio` with `lower` and `upper`. In the last row `difference` and
        `ratio` are medians of those above.

    Raises:
        ValueError: If a column is absent or holds no numbers, or `fraction` lies outside (0, 1].

    References:
        Paper, section IV-D and Fig. 3b and c: a median of 8 % higher BACC of the largest A_0
        against the largest size. Its text does not say how A_0 is cut into bins.
    """
    if fraction is not None and not 0 < fraction <= 1:
        raise ValueError(f"fraction is {fraction}: give a number in (0, 1]")
    if "dataset" not in table.columns:
        raise ValueError("the table has no column 'dataset': add it, to choose within each")
    names = [target, *dict.fromkeys((feature, against))]
    values, used = select_complete_cases(table, (), names)
    datasets = table["dataset"].astype(str).to_numpy()[used]
    rng = np.random.default_rng(seed)
    rows, draws = [], []
    for name, group in pd.DataFrame(values, columns=names).groupby(datasets, sort=True):
        n, levels = len(group), group[against].nunique()
        count = None if fraction is None else max(1, round(fraction * n))
        shares = (1 / levels, 0.0)  # of figure 3's tops
        score, *by = (group[c].to_numpy() for c in (target, feature, against))
        # Row 0 is the dataset itself.
        pick = np.vstack([np.arange(n), rng.integers(0, n, (resamples, n))])
        tops = [_top(each[pick], count, share) for each, share in zip(by, shares, strict=True)]
        chosen = [int(sure[0].sum() + open_[0]) for sure, _, open_ in tops]
        first, second = (_expected_median(score[pick], *top) for top in tops)
        ratio = np.divide(first, second, out=np.full_like(first, np.nan), where=second > 0)
        draws.append(ratio[1:])
        rows.append(
            {
                "dataset": name,
                "n": n,
                "n_feature": chosen[0],
                "n_against": chosen[1],
                "median_feature": first[0],
                "median_against": second[0],
                "difference": first[0] - second[0],
                "ratio": ratio[0],
                **_interval(ratio[1:]),
            }
        )
    result = pd.DataFrame(rows)
    last = {
        "dataset": "median",
        "n": int(result["n"].sum()),
        "difference": result["difference"].median(),
        "ratio": result["ratio"].median(),
        **_interval(np.median(draws, axis=0)),
    }
    result = pd.concat([result, pd.DataFrame([last])], ignore_index=True)
    result = result.astype({"n_feature": "Int64", "n_against": "Int64"})
    result.attrs = {"rows": len(used), "rows_missing": len(table) - len(used), "target": target}
    return result


def _top(
    values: np.ndarray, count: int | None, share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which values of each row are in its top, which are tied at its border, and how many of these.

    The top holds `count` values; without one, those above the quantile of 1 - `share`, ties in.
    """
    if count is not None:
        border = np.sort(values, axis=1)[:, -count, None]
        sure = values > border
        return sure, values == border, count - sure.sum(axis=1)
    border = np.quantile(values, 1 - share, axis=1, keepdims=True)
    sure = (values > border) | (values == values.max(axis=1, keepdims=True)) | (share == 1)
    return sure, np.zeros_like(sure), np.zeros(len(values), int)


def _expected_median(
    score: np.ndarray, sure: np.ndarray, tied: np.ndarray, open_: np.ndarray
) -> np.ndarray:
    """Mean, over all choices of `open_` of a row's tied scores, of the median with the sure ones.

    A score is at a rank of the chosen where so many of the tied before it are chosen as the sure
    ones before it leave over: a hypergeometric probability, given that it is chosen itself.
    """
    order = np.argsort(np.where(sure | tied, score, np.inf), axis=1)
    score, sure, tied = (np.take_along_axis(a, order, axis=1) for a in (score, sure, tied))
    before_sure = np.cumsum(sure, axis=1) - sure
    before_tied = np.cumsum(tied, axis=1) - tied
    n_tied, n_open = tied.sum(axis=1, keepdims=True), open_[:, None]
    n_chosen = sure.sum(axis=1, keepdims=True) + n_open
    chance = np.where(tied, n_open / np.maximum(n_tied, 1), sure)
    logs = np.cumsum(np.log(np.maximum(np.arange(score.shape[1] + 1), 1)))  # of factorials
    result = np.zeros(len(score))
    for rank in ((n_chosen - 1) // 2, n_chosen // 2):
        among = (n_tied - tied, before_tied, n_open - tied, rank - before_sure)
        result += (chance * _hypergeometric(*among, logs) * score).sum(axis=1) / 2
    return result


def _hypergeometric(
    population: np.ndarray,
    marked: np.ndarray,
    drawn: np.ndarray,
    hits: np.ndarray,
    logs: np.ndarray,
) -> np.ndarray:
    """Probability of `hits` marked ones among those drawn; `logs` are of factorials."""
    misses, unmarked = drawn - hits, population - marked
    possible = (hits >= 0) & (hits <= marked) & (misses >= 0) & (misses <= unmarked)
    hits, misses = (np.where(possible, a, 0) for a in (hits, misses))
    log = logs[marked] - logs[hits] - logs[marked - hits]
    log += logs[unmarked] - logs[misses] - logs[unmarked - misses]
    log -= logs[population] - logs[drawn] - logs[population - drawn]
    return np.where(possible, np.exp(log), 0.0)


def _interval(draws: np.ndarray) -> dict[str, float]:
    lower, upper = np.quantile(draws, [0.025, 0.975])
    return {"lower": float(lower), "upper": float(upper)}
