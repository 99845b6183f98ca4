import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lcrjax.measures.counts import counts_array

TABLE = np.array([[1, 0], [2, 3], [0, 4]])


def test_arrays_dicts_and_frames_are_the_same_counts():
    frame = pd.DataFrame(TABLE, columns=["a", "b"], index=["x", "y", "z"])
    for counts, names, elements in (
        (TABLE, ("0", "1"), None),
        (TABLE.tolist(), ("0", "1"), None),
        (jnp.asarray(TABLE), ("0", "1"), None),
        ({"a": TABLE[:, 0], "b": TABLE[:, 1]}, ("a", "b"), None),
        (frame, ("a", "b"), ("x", "y", "z")),
        (frame.reset_index(drop=True), ("a", "b"), (0, 1, 2)),
        (pl.DataFrame(TABLE, schema=["a", "b"]), ("a", "b"), None),
        (pa.table({"a": TABLE[:, 0], "b": TABLE[:, 1]}), ("a", "b"), None),
        ({"a": pl.Series(TABLE[:, 0]), "b": pa.array(TABLE[:, 1])}, ("a", "b"), None),
    ):
        table, class_names, element_names = counts_array(counts)
        np.testing.assert_array_equal(table, TABLE)
        assert table.dtype == jnp.float32
        assert class_names == names
        assert element_names == elements


def test_one_column_is_one_class():
    table, names, _ = counts_array([1, 2, 3])
    assert table.shape == (3, 1)
    assert names == ("0",)


def test_float64_stays_under_x64(x64):
    assert counts_array(TABLE.astype(float))[0].dtype == jnp.float64
    assert counts_array(TABLE.astype("f4"))[0].dtype == jnp.float32


def test_traced_counts_are_not_checked():
    total = jax.jit(lambda counts: jnp.sum(counts_array(counts)[0]))
    assert total(-jnp.asarray(TABLE)) == -10


def changed(i, j, value):
    table = TABLE.astype(float)
    table[i, j] = value
    return table


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (changed(1, 0, -2), r"count of element 1 in class '0' is -2"),
        (changed(2, 1, np.nan), r"count of element 2 in class '1' is nan"),
        (changed(0, 0, np.inf), r"count of element 0 in class '0' is inf"),
        (np.zeros((3, 2)), "all counts are zero"),
        (TABLE * [1, 0], "class '1' is empty"),
        (pd.DataFrame({"cat": [1, 2], "dog": [0, 0]}), "class 'dog' is empty"),
        ({"cat": [0, 0], "dog": [1, 0]}, "class 'cat' is empty"),
        ({"cat": [1, -1], "dog": [1, 0]}, "in class 'cat' is -1"),
        ({"cat": [1, 2], "dog": [1, 2, 3]}, "columns of shapes"),
        ({}, "columns of shapes"),
        ({"cat": TABLE, "dog": TABLE}, "columns of shapes"),
        ({"cat": [1, None], "dog": [1, 2]}, "counts of class 'cat' lack 1 of 2 values, first at 1"),
        (
            {"cat": pd.Series([1, 2], list("ab")), "dog": pd.Series([1, 2], list("ba"))},
            "row 0 is 'a' in class 'cat' and 'b' in class 'dog'",
        ),
        (pd.DataFrame({"cat": [1, -1]}, index=["x", "y"]), "element 'y' in class 'cat' is -1"),
        ({"cat": ["1", "2"]}, "counts of class 'cat' have dtype"),
        (np.array([[1, 1e-60], [1, 0]]), "class '1' vanish"),
        (np.zeros((2, 2, 2)), r"counts have shape \(2, 2, 2\)"),
        (np.zeros((0, 2)), r"counts have shape \(0, 2\)"),
        (np.float64(3), r"counts have shape \(\)"),
        (np.array(["a", "b"]), "counts have dtype"),
    ],
)
def test_bad_counts_are_named(counts, message):
    with jax.enable_x64(False), pytest.raises(ValueError, match=message):
        counts_array(counts)


@pytest.mark.parametrize("scale", [1e39, 1e300, 3e38, 1e-42])
def test_counts_of_any_magnitude(scale):
    table, _, _ = counts_array(TABLE * scale)
    np.testing.assert_allclose(table / table.sum(), TABLE / TABLE.sum(), rtol=1e-6)


def test_names_of_series():
    series = pd.Series([1, 2, 30], index=list("abc"))
    assert counts_array(series)[2] == ("a", "b", "c")
    assert counts_array({"x": [1, 2, 3], "y": series})[2] == ("a", "b", "c")
