import numpy as np
import pandas as pd
import polars as pl
import pytest

import lcrjax

ROWS = {
    "species": ["wren", "tit", "wren", "jay", "tit", "wren"],
    "wood": ["B", "A", "B", "A", "A", "A"],
    "seen": [2, 5, 1, 0, 4, 7],
}
RIGHT = pd.DataFrame({"B": [3, 0, 0], "A": [7, 9, 0]}, index=["wren", "tit", "jay"])


@pytest.mark.parametrize(
    "form",
    [
        dict,
        pd.DataFrame,
        pl.DataFrame,
        lambda x: pd.DataFrame(x).astype({"species": "category", "wood": "category"}),
        lambda x: pd.DataFrame(x, index=[5, 5, 3, 1, 0, 2]),
        lambda x: pd.DataFrame(x).convert_dtypes(),
        lambda x: pd.DataFrame(x).convert_dtypes(dtype_backend="pyarrow"),
        lambda x: pl.DataFrame(x).with_columns(pl.col("wood").cast(pl.Categorical)),
    ],
)
def test_counts_in_the_order_first_seen(form):
    found = lcrjax.from_frame(form(ROWS), "species", "wood", "seen")
    pd.testing.assert_frame_equal(found, RIGHT, check_names=False, check_index_type=False,
                                  check_column_type=False)  # fmt: skip
    assert (found.index.name, found.columns.name) == ("species", "wood")
    assert lcrjax.diversity(found).class_names == ("B", "A")
    names = RIGHT.index
    z = pd.DataFrame(np.eye(3), index=names[[1, 0, 2]], columns=names[[1, 0, 2]])
    with pytest.raises(ValueError, match="'wren'"):
        lcrjax.diversity(found, z)


def test_without_classes_or_counts():
    assert lcrjax.from_frame(ROWS, "species")["all"].tolist() == [3, 2, 1]
    assert lcrjax.from_frame(ROWS, "species", "wood").to_numpy().tolist() == [
        [2, 1],
        [0, 2],
        [0, 1],
    ]
    shares = lcrjax.from_frame({**ROWS, "seen": np.full(6, 0.5)}, "species", count="seen")
    assert shares["all"].tolist() == [1.5, 1.0, 0.5]
    large = lcrjax.from_frame({**ROWS, "seen": [2**62] * 6}, "species", count="seen")
    assert large["all"].tolist() == [3 * 2.0**62, 2.0**63, 2.0**62]  # and nothing wraps
    numbers = lcrjax.from_frame({"k": [3, 1, 3]}, "k")
    assert numbers.index.tolist() == [3, 1]


@pytest.mark.parametrize("form", [dict, pd.DataFrame, lambda x: pl.DataFrame(x, strict=False)])
@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        (
            "species",
            ["wren", None, "wren", None, "tit", "x"],
            "'species' lack 2 of 6 values, first at 1",
        ),
        ("wood", ["B", "A", None, "A", "A", "A"], "rows of 'wood' lack 1 of 6 values, first at 2"),
        ("seen", [1, 2, 3, None, 1, 1], "rows of 'seen' lack 1 of 6 values, first at 3"),
        ("seen", [1, -2, 3, 4, 1, 1], "row 1 has seen -2"),
        ("seen", [1.0, np.inf, 3, 4, 1, 1], "row 1 has seen inf"),
        ("seen", ["1", "2", "3", "4", "1", "1"], "seen holds text"),
        ("seen", ["a", "2", "3", "4", "1", "1"], "seen holds"),
    ],
)
def test_what_is_refused(form, column, values, said):
    with pytest.raises(ValueError, match=said):
        lcrjax.from_frame(form({**ROWS, column: values}), "species", "wood", "seen")


@pytest.mark.parametrize("form", [dict, pd.DataFrame, pl.DataFrame])
def test_no_such_column(form):
    with pytest.raises(ValueError, match=r"no column 'site': there are \['species', 'wood', 'se"):
        lcrjax.from_frame(form(ROWS), "species", "site")
    with pytest.raises(ValueError, match="no rows"):
        lcrjax.from_frame(form({"species": []}), "species")
