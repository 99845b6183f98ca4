import io
import json

import numpy as np
import pytest
from rich.console import Console

from lcrjax.report import print_summary, summarize_study
from lcrjax.report.summary import ranking_frame
from lcrjax.study.analysis.combinations import search
from lcrjax.study.analysis.resampling import bootstrap


def printed(summary):
    stream = io.StringIO()
    print_summary(Console(file=stream, width=100), summary)
    return stream.getvalue()


def test_a_study_in_short(correlated):
    table = correlated()
    summary = summarize_study(table, resamples=50)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert (summary["subsets"], summary["failed"]) == (160, 0)
    models = {model["name"]: model for model in summary["models"]}
    assert list(models)[3:] == ["best single feature", "best pair", "best triple"]
    assert {"A_0", "CB_1", "size"} == set(list(models)[:3])
    for size, name in enumerate(list(models)[3:], start=1):
        best = search(table, "bacc", size).iloc[0]
        assert models[name]["features"] == list(best.features)
        assert models[name]["bacc"]["adj_r2"] == pytest.approx(best.adj_r2)
    acc = search(table, "acc").set_index("features").adj_r2
    assert models["CB_1"]["acc"]["adj_r2"] == pytest.approx(acc[("CB_1",)])
    drawn = bootstrap(table, [m["features"] for m in models.values()], resamples=50).intervals()
    assert models["A_0"]["bacc"]["lower"] == pytest.approx(drawn["lower"][2])
    text = printed(summary)
    assert text.index("A_0") < text.index("best triple") < text.index("Regressions on 160 subsets")
    for model in models.values():
        assert f"{model['bacc']['adj_r2']:.3f}" in text
        assert f"{model['bacc']['lower']:.2f} to {model['bacc']['upper']:.2f}" in text


def test_what_a_table_cannot_tell_is_said(correlated):
    summary = summarize_study(correlated(datasets=1).assign(size=64, auc=1.0), resamples=5)
    size = next(m for m in summary["models"] if m["name"] == "size")
    assert size["bacc"] is None
    text = printed(summary)
    assert "constant" in text
    assert "No ranking for AUC: 'auc' is the same in all 160 rows" in text
    few = summarize_study(correlated(rows=6))
    assert all(m["bacc"]["lower"] is None for m in few["models"])
    assert "Best pair: too few rows" in printed(few)
    none = summarize_study(correlated(rows=4))
    assert none["models"] == []
    assert "4 rows cannot support a regression" in printed(none)


def test_the_ranking_as_a_file(correlated):
    table = correlated().assign(auc=1.0)
    frame = ranking_frame(table, resamples=5)
    assert set(frame["target"]) == {"bacc", "acc"}
    first = frame[(frame["target"] == "acc") & (frame["count"] == 2)]
    assert list(first["rank"]) == list(range(1, 11))
    best = search(table, "acc", 2).iloc[0]
    assert first["features"].iloc[0] == " + ".join(best.features)
    assert first["adj_r2"].iloc[0] == best.adj_r2
    assert np.all(frame["lower"] < frame["upper"])
    assert len(ranking_frame(correlated(rows=4))) == 0
