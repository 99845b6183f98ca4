import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lcrjax.study.run.store import read_results
from lcrjax.study.table import PROVENANCE, SCHEMA, decode, encode, same_results
from tests.study import fake_parts as fake


@pytest.fixture
def frame():
    data = fake.dataset()
    subsets = np.arange(40).reshape(4, 10)
    keys = pd.DataFrame({"dataset": "toy", "subset": range(4), "n": 10, "seed": [5, 6, 7, 8]})
    keys[["n_pixels", "n_channels", "n_classes"]] = 16, 1, 3
    parts = (
        fake.measure(data, subsets),
        fake.train(data, subsets, keys["seed"]),
    )
    return pd.concat([keys, *parts], axis=1)


def written(tmp_path, frame, name="t.parquet"):
    path = tmp_path / name
    path.write_bytes(encode(frame, {"study": "x"}))
    return path


def test_a_table_comes_back_with_its_bits_and_provenance(tmp_path, frame):
    back, provenance = decode(written(tmp_path, frame))
    assert provenance == {"study": "x"}
    assert list(back.columns) == SCHEMA.names
    for name in ("A_0", "bacc", "epochs", "dataset", "converged"):
        np.testing.assert_array_equal(back[name], frame[name])
    assert back["failure"].isna().all()


def test_missing_values_become_nulls(tmp_path, frame):
    frame.loc[1, ["bacc", "epochs"]] = np.nan
    frame.loc[1, "failure"] = "the loss became NaN"
    frame["converged"] = frame["converged"].astype(object)
    frame.loc[1, "converged"] = None
    path = written(tmp_path, frame)
    raw = pq.read_table(path)
    assert [raw[c].null_count for c in ("bacc", "epochs", "converged", "failure")] == [1, 1, 1, 3]
    assert decode(path)[0]["failure"].tolist()[1] == "the loss became NaN"


def test_provenance_lies_in_the_metadata_of_the_file(tmp_path, frame):
    metadata = pq.read_schema(written(tmp_path, frame)).metadata
    assert metadata[PROVENANCE] == b'{"study": "x"}'


def test_other_readers_can_read_it(tmp_path, frame):
    path = written(tmp_path, frame)
    assert pd.read_parquet(path).shape == (4, len(SCHEMA.names))
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(path)["bacc"].to_list() == frame["bacc"].tolist()


def test_duckdb_can_query_it(tmp_path, frame):
    duckdb = pytest.importorskip("duckdb")
    path = written(tmp_path, frame)
    mean = duckdb.sql(f"select avg(bacc) from '{path}'").fetchall()[0][0]
    assert mean == pytest.approx(frame["bacc"].mean())


def test_a_missing_column_is_named(frame):
    with pytest.raises(ValueError, match="lack the columns A_0, bacc"):
        encode(frame.drop(columns=["A_0", "bacc"]), {})


@pytest.mark.parametrize("cut", [0, 3, 100, -1])
def test_a_damaged_file_is_a_value_error(tmp_path, frame, cut):
    path = written(tmp_path, frame)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match="not a table of an lcrjax study"):
        decode(path)


def test_a_foreign_table_is_a_value_error(tmp_path, frame):
    path = tmp_path / "f.parquet"
    frame.to_parquet(path)
    with pytest.raises(ValueError, match="not a table of an lcrjax study"):
        decode(path)
    assert len(read_results(path)) == 4  # but good enough to search in


def test_a_table_may_be_csv(tmp_path, frame):
    frame.to_csv(tmp_path / "f.csv", index=False)
    assert read_results(tmp_path / "f.csv")["bacc"].tolist() == frame["bacc"].tolist()


@pytest.mark.parametrize("name", ["nothing", "f.txt", "empty"])
def test_what_is_no_table_is_a_value_error(tmp_path, name):
    (tmp_path / "f.txt").write_text("no table")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=name):
        read_results(tmp_path / name)


def test_same_results_means_the_same_bits_except_for_wall_time(frame):
    frame.loc[2, "bacc"] = np.nan
    assert same_results(frame, frame.copy())
    assert same_results(frame, frame.assign(seconds=99.0))
    nudged = frame.copy()
    nudged.loc[0, "A_1"] = np.nextafter(nudged.loc[0, "A_1"], np.inf)
    for other in (
        nudged,
        frame.iloc[::-1].reset_index(drop=True),
        frame.iloc[:3],
        frame.drop(columns="auc"),
        frame.assign(bacc=0.5),
        frame.assign(dataset="other"),
        frame.astype({"epochs": float}),
        frame.assign(failure="reason"),
    ):
        assert not same_results(frame, other)


def test_minus_zero_is_not_zero(frame):
    assert not same_results(frame.assign(bacc=0.0), frame.assign(bacc=-0.0))
