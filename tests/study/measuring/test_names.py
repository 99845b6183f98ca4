import numpy as np
import pandas as pd
import pytest

from lcrjax.study.columns import FEATURES
from lcrjax.study.measuring.names import MEASURES, added_columns, candidates, chosen, column_of


@pytest.fixture
def table():
    columns = {name: np.arange(1.0, 4.0) for name in FEATURES}
    columns |= {
        "A_0[rmsd:10]": [1.0, 2, 3],
        "mmd[rmsd:10]": [0.0, 1, 2],
        "A_0[cosine]": [3.0, 1, 2],
        "nn_bacc[cosine]": [1.0, np.nan, 2],
        "R_0[cosine]": [3.0, 1, 2],
    }
    return pd.DataFrame(columns)


def test_names_of_measures_are_distinct_and_follow_the_rule():
    assert len(set(MEASURES)) == len(MEASURES)
    columns = [column_of(name, "0.5median") for name in MEASURES]
    assert added_columns(pd.DataFrame(columns=[*columns, "size", "[x]"])) == tuple(columns)


def test_candidates_have_logs_and_differ(table):
    assert candidates(table) == (*FEATURES, "A_0[rmsd:10]", "A_0[cosine]")


def test_words_stand_for_columns(table):
    assert chosen(table, None) == candidates(table)
    assert chosen(table, ["size", "cosine", "size"]) == ("size", "A_0[cosine]")
    assert chosen(table, ["mmd[rmsd:10]"]) == ("mmd[rmsd:10]",)
    with pytest.raises(ValueError, match="no column 'rmsd:3'"):
        chosen(table, ["rmsd:3"])
