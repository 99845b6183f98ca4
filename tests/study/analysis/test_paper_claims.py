import numpy as np
import pytest

from lcrjax.study.analysis.combinations import search
from lcrjax.study.analysis.effect import top_effect
from lcrjax.study.analysis.paper_claims import claims


@pytest.fixture(scope="module")
def found(correlated):
    table = correlated()
    return table, claims(table, resamples=60).set_index("claim")


def test_single_regressions_are_the_searches(found):
    table, told = found
    singles = search(table).set_index("features").adj_r2
    for name in ("A_0", "A_1", "CB_1", "CB_inf", "size"):
        row = told.loc[f"{name} alone, adjusted R²"]
        assert row["here"] == f"{singles[(name,)]:.3f}"
        low, high = map(float, row["interval"].split(" to "))
        assert low <= singles[(name,)] + 1e-3
        assert high >= singles[(name,)] - 1e-3
    pair = search(table, size=2).iloc[0]
    assert told.loc["best pair, adjusted R²", "here"].endswith(f"{pair.adj_r2:.3f}")
    triples = search(table, size=3).head(10)
    text = told.loc["ten best triples, adjusted R²", "here"]
    assert text.startswith(f"{triples.adj_r2.min():.3f} to {triples.adj_r2.max():.3f}")
    assert f"{sum('size' in f for f in triples.features)} of them" in text


def test_ranges_and_products_are_of_all_rows(found):
    table, told = found
    values = table[["G_0", "G_1", "G_inf"]]
    row = told.loc["G is close to 1", "here"]
    assert row == f"between {values.min().min():.3f} and {values.max().max():.3f}"
    worst = np.abs(table.CB_1 * table.G_1 * table.R_1 / table.A_1 - 1).max()
    assert f"{worst:.1e}" in told.loc["A_1 = CB_1 · G_1 · R_1", "here"]


@pytest.mark.parametrize(
    ("claim", "fraction"),
    [
        ("median score of the highest A_0 against the largest size, as in figure 3", None),
        ("the same for quarters of equal count, ties at random", 0.25),
    ],
)
def test_the_largest_are_compared_in_per_cent(found, claim, fraction):
    table, told = found
    effect = top_effect(table, fraction=fraction, resamples=60)
    low, median, high = (100 * (effect.ratio.iloc[:-1].quantile(q) - 1) for q in (0, 0.5, 1))
    assert told.loc[claim, "here"] == f"{median:+.1f} % ({low:+.1f} to {high:+.1f} %)"
    lower, upper = 100 * (effect[["lower", "upper"]].iloc[-1] - 1)
    assert told.loc[claim, "interval"] == f"{lower:+.1f} to {upper:+.1f} %"


def test_what_a_table_cannot_tell_is_said(correlated):
    told = claims(correlated(rows=6).assign(size=64), resamples=0).set_index("claim")
    assert told.loc["size alone, adjusted R²", "here"] == "too few rows, or constant"
    assert told.loc["all 27 features together, adjusted R²", "here"] == "too few rows, or constant"
    assert (told["interval"] == "").all()
