"""Rankings of features by what they explain, with their intervals and notes."""

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lcrjax.report.names import plain
from lcrjax.study.analysis.combinations import search_sizes
from lcrjax.study.analysis.resampling import bootstrap
from lcrjax.study.columns import FEATURES, PARAMETERS

#: What a combination of so many features is called.
SIZES = {1: "singles", 2: "pairs", 3: "triples"}
#: Today's two indicators of a dataset's quality, and the paper's best.
SIDE_BY_SIDE = ("size", "CB_1", "A_0")
#: Below this a note warns of chance.
FEW_ROWS = 40
#: How many pairs and triples are told with intervals.
BEST = 10


def rankings(
    table: pd.DataFrame, target: str = "bacc", always: Sequence[str] = PARAMETERS
) -> dict[str, pd.DataFrame]:
    """Rank every single feature, pair and triple by adjusted R-squared.

    Args:
        table: One row per subset, as `run_study` returns it.
        target: Column to explain.
        always: Columns in every regression.

    Returns:
        `singles`, `pairs` and `triples`, each as `lcrjax.study.search` returns it. Those that the
        table has too few rows or varying features for are absent.

    Raises:
        ValueError: If not even single features can be regressed on; the sentence says why.
    """
    for sizes in ((1, 2, 3), (1, 2)):
        with contextlib.suppress(ValueError):
            return _named(search_sizes(table, target, sizes, always))
    return _named(search_sizes(table, target, (1,), always))


def _named(found: dict[int, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {SIZES[size]: frame for size, frame in found.items()}


def with_intervals(
    table: pd.DataFrame, target: str = "bacc", resamples: int = 1000
) -> dict[str, pd.DataFrame]:
    """Rank, and say how sure the numbers are: every single feature, the ten best pairs and triples.

    Args:
        table: One row per subset, as `run_study` returns it.
        target: Column to explain.
        resamples: Bootstrap resamples of the intervals.

    Returns:
        As `rankings`, with the columns `lower` and `upper` (95 %); NaN in tables of few rows.

    Raises:
        ValueError: As `rankings` does.
    """
    found = {}
    for kind, frame in rankings(table, target).items():
        best = frame if kind == SIZES[1] else frame.head(BEST)
        lower = upper = np.full(len(best), np.nan)
        if best.attrs["rows"] >= FEW_ROWS:
            drawn = bootstrap(table, list(best["features"]), target, resamples=resamples)
            lower, upper = drawn.intervals()[["lower", "upper"]].to_numpy().T
        found[kind] = best.assign(lower=lower, upper=upper)
    return found


def notes(ranking: pd.DataFrame) -> list[str]:
    """Say in sentences what a ranking rests on: rows, columns in every regression or dropped."""
    attrs: Any = ranking.attrs
    lines = [f"Regressions on {attrs['rows']} subsets, features on natural logs."]
    if attrs["rows_missing"]:
        lines.append(f"{attrs['rows_missing']} rows lack a value and were left out.")
    if attrs["always"]:
        lines.append(f"In every regression: {', '.join(map(plain, attrs['always']))}.")
    if attrs["dropped"]:
        dropped = ", ".join(n if n in FEATURES else plain(n) for n in attrs["dropped"])
        lines.append(f"Constant over the table and therefore dropped: {dropped}.")
    if attrs["rows"] < FEW_ROWS:
        lines.append(f"Fewer than {FEW_ROWS} subsets: much of this ranking is chance.")
    return lines
