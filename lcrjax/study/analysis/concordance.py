"""Concordance of features and scores: how often a feature names the better of two subsets."""

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from lcrjax.study.analysis.complete_cases import select_complete_cases
from lcrjax.study.columns import FEATURES

#: Values that differ by less than this part are one value: the same partition, other rounding.
TIE = 1e-6


def pairwise_concordance(
    table: pd.DataFrame,
    features: Sequence[str] = FEATURES,
    target: str = "bacc",
    *,
    same_size: bool = True,
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

    Returns:
        One row per feature, best first: `feature`, `concordance`, its `lowest` and `highest` value
        over the datasets, `concordant`, `discordant`, `tied`, `pairs` (their sum). `attrs` holds
        `rows`, `rows_missing` and `target_ties` (pairs left out).

    Raises:
        ValueError: If a column is absent or holds no numbers, or there is no pair to compare.
    """
    if "dataset" not in table.columns:
        raise ValueError("the table has no column 'dataset': add it, to say what to compare")
    names = list(dict.fromkeys((*features, "size")))
    values, rows = select_complete_cases(table, names, (target,))
    frame = pd.DataFrame(values, columns=[target, *names])
    frame["dataset"] = table["dataset"].astype(str).to_numpy()[rows]
    keys = ["dataset", "size"] if same_size else ["dataset"]

    counts: dict[Hashable, np.ndarray] = {}
    target_ties = 0
    for (dataset, *_), group in frame.groupby(keys, sort=True):
        i, j = np.triu_indices(len(group), 1)
        better = _sign(group[target].to_numpy(), i, j, 0.0)
        target_ties += int(np.sum(better == 0))
        agreements = np.empty((len(features), 3), dtype=np.int64)
        for k, name in enumerate(features):
            agreement = (better * _sign(group[name].to_numpy(), i, j, TIE))[better != 0]
            agreements[k] = [np.sum(agreement == s) for s in (1, -1, 0)]
        counts[dataset] = counts.get(dataset, 0) + agreements
    total = np.sum(list(counts.values()), axis=0)
    if not total[:1].sum():
        raise ValueError("no two subsets of one dataset and size differ in score: add subsets")
    each = np.stack([_concordance(c) for c in counts.values() if c[:1].sum()])
    result = pd.DataFrame({"feature": features, "concordance": _concordance(total)})
    result["lowest"], result["highest"] = each.min(axis=0), each.max(axis=0)
    result[["concordant", "discordant", "tied"]] = total
    result["pairs"] = total.sum(axis=1)
    result = result.sort_values("concordance", ascending=False, kind="stable", ignore_index=True)
    result.attrs = {"rows": len(rows), "rows_missing": len(table) - len(rows)}
    result.attrs.update(target=target, target_ties=target_ties)
    return result


def _sign(values: np.ndarray, i: np.ndarray, j: np.ndarray, tie: float) -> np.ndarray:
    difference = values[i] - values[j]
    return np.sign(difference) * (np.abs(difference) > tie * np.maximum(values[i], values[j]))


def _concordance(counts: np.ndarray) -> np.ndarray:
    concordant, _, tied = counts.T
    return (concordant + tied / 2) / counts.sum(axis=1)
