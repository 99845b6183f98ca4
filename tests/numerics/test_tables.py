import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lcrjax.numerics.tables import column_names, first_difference, row_names


@pytest.mark.parametrize(
    ("names", "others", "at"),
    [
        (None, "ab", None),
        ("ab", "ab", None),
        ("abc", "acb", 1),
        ((0, 1, 2), "acb", None),
        ((0, 1, 2), (2, 1, 0), 0),
        ((0, 2, 1), (0, 1, 2), 1),
    ],
)
def test_first_difference(names, others, at):
    assert first_difference(names, others) == at


def test_row_names():
    assert row_names(pd.Series([1, 2], index=list("ab"))) == ("a", "b")
    assert row_names([1, 2]) is None


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table])
def test_column_names(frame):
    assert column_names(frame({"a": [1], "b": [2]})) == ["a", "b"]
    assert column_names([[1, 2]]) is None
