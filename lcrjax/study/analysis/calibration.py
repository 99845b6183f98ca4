"""Calibration of predicted probabilities: do things come true as often as they are said to?"""

import itertools

import numpy as np
import pandas as pd

from lcrjax.study.analysis.differences import LeftOut
from lcrjax.study.analysis.pairs import PairBootstrap


def reliability(
    found: LeftOut,
    bins: int = 10,
    *,
    same_size: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare how sure predictions were with how often they were right.

    A pair's probability is that of the subset which is predicted to be better, from 1/2 to 1. Pairs
    are cut into bins of equal count by it.

    Args:
        found: What `predict_differences` returned.
        bins: Number of bins; fewer where probabilities tie.
        same_size: Only pairs of subsets of one size.
        resamples: Bootstrap resamples, of fixed bins and predictions; 0 for no intervals.
        seed: The same seed gives the same resamples.

    Returns:
        One row per bin, the least sure first: `probability` (mean), `right` (share in which the
        predicted one scored better; ties count half), `pairs`, and the intervals of `right` (see
        `PairBootstrap`). `attrs["error"]` is the mean of `|probability - right|` over all pairs,
        the expected calibration error.

    Raises:
        ValueError: If there are fewer pairs than bins.

    References:
        Murphy & Winkler (1977), "Reliability of subjective probability forecasts".
    """
    found = found.of_one_size() if same_size else found
    pairs = found.pairs
    sure = [np.maximum(p, 1 - p) for p in found.probability]
    signs = [np.sign(p - 0.5) for p in found.probability]
    both = zip(signs, found.measured, strict=True)
    right = [(1 + sign * np.sign(m)) / 2 for sign, m in both]
    every = pairs.listed(sure)
    if len(every) < bins:
        raise ValueError(f"there are {len(every)} pairs for {bins} bins: add subsets")
    edges = np.unique(np.quantile(every, np.linspace(0, 1, bins + 1)))
    edges = np.repeat(edges, 2) if len(edges) == 1 else edges
    drawn, rows = PairBootstrap(pairs, resamples, seed), []
    for low, high in itertools.pairwise(edges):
        last = high == edges[-1]
        inside = pairs.among([(low <= p) & ((p <= high) if last else (p < high)) for p in sure])
        count = sum(int(c.sum()) for c in inside.counted) // 2
        if not count:
            continue
        row = {"probability": inside.mean(sure), "right": inside.mean(right), "pairs": count}
        if resamples:
            own = [np.where(c, r, 0.0) for c, r in zip(inside.counted, right, strict=True)]
            row |= drawn.intervals(own, inside.counted)
        rows.append(row)
    result = pd.DataFrame(rows)
    gaps = (result["probability"] - result["right"]).abs()
    result.attrs["error"] = float(np.average(gaps, weights=result["pairs"]))
    return result
