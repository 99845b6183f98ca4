"""Claims of the paper about performance and diversity, beside what a study's table says."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from lcrjax.numerics.progress import each
from lcrjax.study.analysis.combinations import search
from lcrjax.study.analysis.effect import top_effect
from lcrjax.study.analysis.feature_sets import explain_feature_sets
from lcrjax.study.analysis.resampling import bootstrap
from lcrjax.study.columns import FEATURE_SETS, FEATURES

#: What a single regression explains in the paper (adjusted R-squared, BACC): features, value.
_REGRESSIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("A_0",), "0.670"),
    (("A_1",), "0.605"),
    (("CB_1",), "0.542"),
    (("CB_inf",), "0.523"),
    (("size",), "0.373"),
    (("size", "A_1"), "0.789, the best pair"),
    (("size", "CB_1"), "0.74"),
)
#: What whole sets of features explain: name of the set, what it is called, value.
_SETS = (
    ("alphas", "the eight alphas together", "0.786"),
    ("gammas", "the eight gammas together", "0.624"),
    ("rhos", "the eight rhos together", "0.590"),
    ("all", "all 27 features together", "0.906"),
)
_NOT_HERE = "too few rows, or constant"


def claims(table: pd.DataFrame, target: str = "bacc", *, resamples: int = 1000) -> pd.DataFrame:
    """Set what a study found beside what the paper claims.

    Args:
        table: One row per subset.
        target: Column to explain; the paper's numbers are of BACC.
        resamples: Of bootstraps over subsets, for intervals of 95 %; 0 for none.

    Returns:
        One row per claim: `claim`, `paper`, and as texts `here` and `interval` (empty where there
        is none).

    References:
        Paper, sections IV-D and V.
    """
    found: list[tuple[str, str, Callable[[], tuple[str, str]]]] = [
        *(
            (
                f"{' + '.join(features)}{' alone' * (len(features) == 1)}, adjusted R²",
                paper,
                partial(_regression, table, features, target, resamples),
            )
            for features, paper in _REGRESSIONS
        ),
        (
            "the five best single features are alphas",
            "all five; mean 0.600",
            partial(_best_singles, table, target),
        ),
        ("best pair, adjusted R²", "size + A_1, 0.789", partial(_best_pair, table, target)),
        (
            "ten best triples, adjusted R²",
            "0.840 to 0.851, each with size",
            partial(_best_triples, table, target),
        ),
        *(
            (f"{called}, adjusted R²", paper, partial(_set, table, name, target, resamples))
            for name, called, paper in _SETS
        ),
        (
            "median score of the highest A_0 against the largest size, as in figure 3",
            "8 % higher (1 to 16 %)",
            partial(_top, table, target, resamples, None),
        ),
        (
            "the same for quarters of equal count, ties at random",
            "",
            partial(_top, table, target, resamples, 0.25),
        ),
        ("A_1 = CB_1 · G_1 · R_1", "exactly", partial(_product, table)),
        ("G is close to 1", "between 1 and 1.6", partial(_range, table)),
    ]
    rows = []
    for claim, paper, find in each(found):
        try:
            rows.append((claim, paper, *find()))
        except (ValueError, KeyError):
            rows.append((claim, paper, _NOT_HERE, ""))
    return pd.DataFrame(rows, columns=["claim", "paper", "here", "interval"])


def _regression(
    table: pd.DataFrame, features: Sequence[str], target: str, resamples: int
) -> tuple[str, str]:
    found = search(table, target, len(features))
    by_set = {frozenset(f): r2 for f, r2 in zip(found["features"], found["adj_r2"], strict=True)}
    value = by_set[frozenset(features)]
    return f"{value:.3f}", _interval(table, features, target, resamples)


def _interval(table: pd.DataFrame, features: Sequence[str], target: str, resamples: int) -> str:
    if not resamples:
        return ""
    try:
        found = bootstrap(table, [features], target, resamples=resamples).intervals().iloc[0]
    except ValueError:
        return ""
    return f"{found['lower']:.3f} to {found['upper']:.3f}"


def _best_singles(table: pd.DataFrame, target: str) -> tuple[str, str]:
    best = search(table, target).head(5)
    names = [features[0] for features in best["features"]]
    alphas = sum(name in FEATURE_SETS["alphas"] for name in names)
    return f"{alphas} of five ({', '.join(names)}); mean {best['adj_r2'].mean():.3f}", ""


def _best_pair(table: pd.DataFrame, target: str) -> tuple[str, str]:
    best = search(table, target, 2).iloc[0]
    return f"{' + '.join(best['features'])}, {best['adj_r2']:.3f}", ""


def _best_triples(table: pd.DataFrame, target: str) -> tuple[str, str]:
    best = search(table, target, 3).head(10)
    with_size = sum("size" in features for features in best["features"])
    values = best["adj_r2"]
    return f"{values.min():.3f} to {values.max():.3f}, {with_size} of them with size", ""


def _set(table: pd.DataFrame, name: str, target: str, resamples: int) -> tuple[str, str]:
    found = explain_feature_sets(table, target, sets={name: FEATURE_SETS[name]})
    if found.empty:
        return _NOT_HERE, ""
    best = found.iloc[0]
    return f"{best['adj_r2']:.3f}", _interval(table, best["features"], target, resamples)


def _top(
    table: pd.DataFrame, target: str, resamples: int, fraction: float | None
) -> tuple[str, str]:
    found = top_effect(table, "A_0", "size", target, fraction=fraction, resamples=max(1, resamples))
    percent = 100 * (found[["ratio", "lower", "upper"]] - 1)
    each, last = percent["ratio"].iloc[:-1], percent.iloc[-1]
    span = f" ({each.min():+.1f} to {each.max():+.1f} %)" if len(each) > 1 else ""
    interval = f"{last['lower']:+.1f} to {last['upper']:+.1f} %"
    return f"{last['ratio']:+.1f} %{span}", interval if resamples else ""


def _product(table: pd.DataFrame) -> tuple[str, str]:
    product = table["CB_1"] * table["G_1"] * table["R_1"]
    worst = float(np.nanmax(np.abs(product / table["A_1"] - 1)))
    return f"to within {worst:.1e} in every row", ""


def _range(table: pd.DataFrame) -> tuple[str, str]:
    values = table[[name for name in FEATURES if name.startswith("G_")]]
    return f"between {values.min().min():.3f} and {values.max().max():.3f}", ""
