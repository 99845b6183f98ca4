import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from lcrjax.numerics.tables import first_difference, numbers, row_names


@pytest.mark.parametrize(
    "table",
    [
        np.array([1, 2], ">f8"),
        pd.Series([1, 2], dtype=object),
        pd.Series([1, 2], dtype="Int64"),
        pd.Series([1, 2]),
        jnp.array([1, 2]),
        [1, 2],
    ],
)
def test_numbers_of_every_kind(table):
    found = numbers("counts", table)
    assert found.dtype.isnative
    assert found.dtype.kind in "if"
    np.testing.assert_array_equal(found, [1, 2])


@pytest.mark.parametrize("table", [["1", "2"], [1j], pd.Series(["1", 2], dtype=object), [None, {}]])
def test_no_numbers(table):
    with pytest.raises(ValueError, match="counts have dtype"):
        numbers("counts", table)


def test_a_missing_number_is_nan():
    assert np.isnan(numbers("counts", pd.Series([1, None], dtype="Int64"))[1])


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
