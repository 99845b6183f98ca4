"""Concordance of features and scores: how often a feature names the better of two subsets."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lcrjax.study.analysis.complete_cases import select_complete_cases
from lcrjax.study.analysis.pairs import PairBootstrap, Pairs
from lcrjax.study.columns import FEATURES

#: Values that differ by less than this part are one value: the same partition, other rounding.
TIE = 1e-6
_KINDS = {"concordant": 1, "discordant": -1, "tied": 0}


def pairwise_concordance(
    table: pd.DataFrame,
    features: Sequence[str] = FEATURES,
    target: str = "bacc",
    *,
    same_size: bool = True,
    resamples: int = 0,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare subsets of one dataset two by two: does more of the feature mean a better score?

    This asks what a practitioner asks, and owes nothing to differences between datasets. A feature
    tied in a pair is counted as half right; 0.5 is a coin's accuracy. Pairs that score the same are
    left out.

    Args:
        table: One row per subset, with `dataset` and `size`.
        features: Columns to judge by; more is taken to be better.
        target: Column that says which subset is better.
        same_size: Compare only subsets of the same number of images. Then size itself always ties.
        resamples: Bootstrap resamples for intervals; 0 for none.
        seed: The same seed gives the same resamples.

    Returns:
        One row per feature, best first: `feature`, `concordance`, its `lowest` and `highest` value
        over the datasets, `concordant`, `discordant`, `tied`, `pairs` (their sum); with
        resamples also the intervals (95 %) of `PairBootstrap`. `attrs` holds `rows`, `rows_missing`
        and `target_ties` (pairs left out).

    Raises:
        ValueError: If a column is absent or holds no numbers, or there is no pair to compare.
    """
    if "dataset" not in table.columns:
        raise ValueError("the table has no column 'dataset': add it, to say what to compare")
    names = list(dict.fromkeys((*features, "size")))
    values, rows = select_complete_cases(table, names, (target,))
    datasets = table["dataset"].astype(str).to_numpy()[rows]
    columns = dict(zip((target, *names), values.T, strict=True))
    every = Pairs.of(datasets, columns["size"] if same_size else None)
    better = [np.sign(d) for d in every.differences(columns[target])]
    pairs = every.among([b != 0 for b in better])
    n_pairs, n_every = (sum(int(c.sum()) // 2 for c in p.counted) for p in (pairs, every))
    if not n_pairs:
        raise ValueError("no two subsets of one dataset and size differ in score: add subsets")
    drawn = PairBootstrap(pairs, resamples, seed) if resamples else None
    found = []
    for name in features:
        agreement = [
            b * _sign(columns[name][mine]) for b, mine in zip(better, pairs.rows, strict=True)
        ]
        right = [(1 + a) / 2 for a in agreement]
        signs = pairs.listed(agreement)
        each = [
            x / c.sum() for x, c in zip(pairs.sums(right), pairs.counted, strict=True) if c.any()
        ]
        row = {"feature": name, "concordance": pairs.mean(right)}
        row |= {"lowest": min(each), "highest": max(each)}
        row |= {w: int(np.sum(signs == s)) for w, s in _KINDS.items()} | {"pairs": n_pairs}
        found.append(row | (drawn.intervals(right) if drawn else {}))
    result = pd.DataFrame(found)
    result = result.sort_values("concordance", ascending=False, kind="stable", ignore_index=True)
    result.attrs = {"rows": len(rows), "rows_missing": len(table) - len(rows)}
    result.attrs.update(target=target, target_ties=n_every - n_pairs)
    return result


def _sign(values: np.ndarray) -> np.ndarray:
    """Sign of the second's value minus the first's, 0 where they tie, for all pairs."""
    difference = values - values[:, None]
    tied = np.abs(difference) <= TIE * np.maximum(values, values[:, None])
    return np.where(tied, 0.0, np.sign(difference))
