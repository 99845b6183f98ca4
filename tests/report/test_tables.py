import io

import numpy as np
import pytest
from rich.console import Console

from lcrjax.report import print_rankings, rankings
from lcrjax.study.analysis.combinations import search


def printed(table, **kwargs):
    stream = io.StringIO()
    print_rankings(Console(file=stream, width=100), table, **kwargs)
    return stream.getvalue()


def test_rankings_are_the_searches(correlated):
    table = correlated()
    found = rankings(table, "acc")
    assert list(found) == ["singles", "pairs", "triples"]
    for size, frame in enumerate(found.values(), start=1):
        assert frame.equals(search(table, "acc", size))


def test_what_is_printed_is_what_was_found(correlated):
    table = correlated()
    text = printed(table)
    best = search(table, "bacc", 3).iloc[0]
    assert f"{best.adj_r2:.3f}" in text
    assert "Single features, BACC" in text
    assert "Best for ACC" in text
    assert "Best for AUC" in text
    side = text[text.index("Side by side") :]
    for target in ("bacc", "acc", "auc"):
        values = search(table, target).set_index("features").adj_r2
        for name in ("size", "CB_1", "A_0"):
            assert f"{values[(name,)]:.3f}" in side


def test_one_dataset_says_what_was_dropped(correlated):
    text = " ".join(printed(correlated(datasets=1).assign(size=64)).split())
    assert (
        "therefore dropped: size, number of pixels, number of channels, number of classes." in text
    )
    assert "constant" in text[text.index("Side by side") :]


def test_failed_rows_are_counted(correlated):
    table = correlated()
    table.loc[[1, 2], ["acc", "bacc", "auc"]] = np.nan
    assert "2 rows lack a value and were left out." in printed(table)


def test_few_rows_skip_what_they_cannot_support(correlated):
    text = printed(correlated(rows=6))
    assert "Best pairs: the table has too few rows or features" in text
    assert "much of this ranking is chance" in text
    text = printed(correlated(rows=4))
    assert "4 rows cannot support a regression" in text
    assert "Single features" not in text


def test_a_constant_target_loses_only_its_own_tables(correlated):
    text = printed(correlated().assign(auc=1.0))
    assert "No ranking for AUC: 'auc' is the same in all 160 rows" in text
    assert "Best for ACC" in text


def test_rankings_say_why_not(correlated):
    with pytest.raises(ValueError, match="holds -"):
        rankings(correlated().assign(A_0=-1.0 - np.arange(160)))
