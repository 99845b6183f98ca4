import numpy as np
import pytest

from lcrjax.report import notes, rankings, with_intervals
from lcrjax.study.analysis.combinations import search
from lcrjax.study.analysis.resampling import bootstrap


def test_rankings_are_the_searches(correlated):
    table = correlated()
    found = rankings(table, "acc")
    assert list(found) == ["singles", "pairs", "triples"]
    for size, frame in enumerate(found.values(), start=1):
        assert frame.equals(search(table, "acc", size))


def test_intervals_are_those_of_the_bootstrap(correlated):
    table = correlated()
    found = with_intervals(table, "acc", resamples=50)
    assert [len(frame) for frame in found.values()] == [27, 10, 10]
    pairs = found["pairs"]
    wanted = bootstrap(table, list(pairs["features"]), "acc", resamples=50).intervals()
    for name in ("adj_r2", "lower", "upper"):
        np.testing.assert_allclose(pairs[name], wanted[name], rtol=1e-9)
    assert (pairs["lower"] < pairs["adj_r2"]).all()
    few = with_intervals(correlated(rows=30), "acc")["singles"]
    assert few["lower"].isna().all()
    assert few["adj_r2"].notna().all()


def test_notes_say_what_was_dropped_and_left_out(correlated):
    table = correlated(datasets=1).assign(size=64, CB_inf=2.0)
    table.loc[[1, 2], ["acc", "bacc", "auc"]] = np.nan
    said = notes(rankings(table)["singles"])
    assert "2 rows lack a value and were left out." in said
    assert any(
        "dropped: CB_inf, size, number of pixels, number of channels, number of classes." in x
        for x in said
    )
    assert "much of this ranking is chance" in notes(rankings(correlated(rows=30))["singles"])[-1]


def test_rankings_say_why_not(correlated):
    with pytest.raises(ValueError, match="holds -"):
        rankings(correlated().assign(A_0=-1.0 - np.arange(160)))
