import numpy as np
import pandas as pd
import pytest

import lcrjax

GRADES = pd.CategoricalDtype(["poor", "fair", "good", "best"], ordered=True)


def make(rng, n=23):
    """A table of all kinds of columns, a fifth of which is missing; the first row lacks all."""
    frame = pd.DataFrame(
        {
            "width": rng.normal(1e6, 3, n),
            "count": pd.array(rng.integers(0, 9, n), "Int64"),
            "constant": np.full(n, 7.0),
            "grade": pd.Categorical(rng.choice(GRADES.categories[1:], n), dtype=GRADES),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 99, n), "D"),
            "colour": rng.choice(["red", "green", "blue"], n),
            "smokes": pd.array(rng.random(n) < 0.5, "boolean"),
            "site": pd.Categorical(rng.choice(["x", "y"], n)),
            "age": np.where(rng.random(n) < 0.5, 3, 60).astype(object),
        }
    )
    lacking = rng.random(frame.shape) < 0.2
    lacking[0], lacking[1] = True, False
    return frame.mask(lacking).astype({"grade": GRADES})


def gower(x, y, both):
    """Gower's coefficient of all rows, one pair and column at a time."""
    out = np.zeros((len(x), len(y)))
    for i in range(len(x)):
        for j in range(len(y)):
            alike, known = 0.0, 0
            for name in x.columns:
                a, b, column = x[name].iloc[i], y[name].iloc[j], both[name].dropna()
                if pd.isna(a) or pd.isna(b):
                    continue
                known += 1
                if name in ("colour", "smokes", "site"):
                    alike += a == b
                    continue
                if name == "grade":
                    a, b = GRADES.categories.get_indexer([a, b])
                    column = pd.Series(GRADES.categories.get_indexer(column))
                span = column.max() - column.min()
                alike += 1 - min(abs(a - b) / span if span else 0, 1)
            out[i, j] = alike / known if known else 0
    return out


def test_all_kinds_of_columns(rng):
    table = make(rng)
    weights = rng.random((len(table), 2)).astype("f4")
    z = gower(table, table, table)
    np.fill_diagonal(z, 1)
    assert z[0].sum() == 1  # a row that lacks everything is like itself alone
    found = lcrjax.ordinariness(table, weights, lcrjax.Gower())
    np.testing.assert_allclose(found, z @ weights, rtol=3e-6)
    np.testing.assert_array_equal(lcrjax.ordinariness(table, weights, "gower"), found)


def test_ranges_are_those_of_both_tables_or_of_one(rng):
    table = make(rng)
    rows, others = table.iloc[:8], table.iloc[8:]
    weights = rng.random((len(others), 2)).astype("f4")
    z = gower(rows, others, table)
    found = lcrjax.ordinariness(rows, weights, lcrjax.Gower(), others=others)
    np.testing.assert_allclose(found, z @ weights, rtol=3e-6)
    z = gower(rows, others, rows)
    for word in (lcrjax.Gower.of(rows), "gower"):
        found = lcrjax.ordinariness(rows, weights, word, others=others)
        np.testing.assert_allclose(found, z @ weights, rtol=3e-6)


def test_many_rows_are_compared_in_tiles(rng):
    x = rng.random((70, 3))
    x[rng.random(x.shape) < 0.2] = np.nan
    frame = pd.DataFrame(x)
    z = gower(frame, frame, frame)
    np.fill_diagonal(z, 1)
    weights = rng.random((70, 2)).astype("f4")
    for given in (x, frame):
        found = lcrjax.ordinariness(given, weights, lcrjax.Gower(), tile=32)
        np.testing.assert_allclose(found, z @ weights, rtol=3e-6)


def test_it_multiplies_with_others(rng):
    table, labels = make(rng), rng.integers(0, 2, 23)
    z = gower(table, table, table)
    np.fill_diagonal(z, 1)
    z *= labels[:, None] == labels[None]
    within = lcrjax.Gower() * lcrjax.SameClass()
    found = lcrjax.ordinariness((table, labels), np.eye(23, dtype="f4"), within)
    np.testing.assert_allclose(found, z, atol=1e-6)


def test_rows_have_diversities(rng):
    table = make(rng).iloc[1:]
    z = gower(table, table, table)
    np.fill_diagonal(z, 1)
    D = lcrjax.measure(table, ["a", "b"] * 11, similarity="gower", q=2)
    gamma = 1 / np.mean(z.mean(axis=1))
    assert float(D.dataset_level["gamma"][0]) == pytest.approx(gamma, rel=1e-5)


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (pd.DataFrame({"a": [1.0, np.inf]}), "column 'a' is infinite at row 1"),
        (pd.DataFrame({"a": [[1], [2]]}), "column 'a' holds values that are no categories"),
        (pd.DataFrame(index=[0, 1]), "elements have no columns"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), "two columns 'a'"),
        (np.zeros(2), r"shape \(2,\)"),
        (["one", "two"], "compares rows of a table"),
    ],
)
def test_what_is_no_table_is_refused(table, sentence):
    with pytest.raises(ValueError, match=sentence):
        lcrjax.ordinariness(table, [0.5, 0.5], lcrjax.Gower())


def test_two_tables_agree_in_columns():
    x = pd.DataFrame({"a": [1, 2]})
    with pytest.raises(ValueError, match="other columns"):
        lcrjax.ordinariness(x, [1.0, 1.0], lcrjax.Gower(), others=x.rename(columns={"a": "b"}))
    grade = pd.DataFrame({"g": pd.Categorical(["fair", "good"], dtype=GRADES)})
    other = grade.assign(g=grade["g"].cat.reorder_categories(GRADES.categories[::-1]))
    with pytest.raises(ValueError, match="two orders of categories"):
        lcrjax.ordinariness(grade, [1.0, 1.0], lcrjax.Gower(), others=other)
