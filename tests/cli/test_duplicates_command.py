import numpy as np
import pandas as pd
import pytest

from lcrjax.numerics import sources


@pytest.fixture
def table(run):
    """A file of vectors with a copy between its splits, under two labels and of one patient."""
    vectors = np.random.default_rng(0).normal(size=(40, 3))
    vectors[30] = vectors[2]
    frame = pd.DataFrame(vectors, columns=[*"xyz"])
    frame = frame.assign(label=np.tile(["a", "b", "b"], 14)[:40], split="train")
    frame.loc[25:, "split"] = "test"
    frame["patient"] = [f"p{i % 25}" for i in range(40)]
    frame["v"] = frame[[*"xyz"]].to_numpy().tolist()
    frame.drop(columns=[*"xyz"]).to_parquet("t.parquet")
    return "t.parquet"


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_pairs_are_written(run, table, ending):
    result = run("duplicates", table, "--train-test", "--threshold", "0", "--out", f"p.{ending}")
    assert result.exit_code == 0, result.output
    assert "t: 1 pair up to a distance of 0: 1 under two labels, 1 between" in result.stdout
    assert "15 groups are in both training and test (p0, p1, p2, p3, p4, p5, ...)" in result.stdout
    found = getattr(pd, f"read_{ending}")(f"p.{ending}")
    (row,) = found.to_dict("records")
    assert (row["first_class"], row["second_class"], row["first_group"]) == ("a", "b", "p5")
    assert (row["first_split"], row["second_split"], row["distance"]) == ("test", "train", 0)


def test_the_closest_are_printed(run, table):
    result = run("duplicates", table, "--threshold", "9", "--quiet")
    assert result.exit_code == 0, result.output
    assert f"{25 * 24 // 2 + 25 * 15:,} pairs" in result.stdout
    assert "Near-duplicates, the 12 closest" in result.stdout


def test_a_large_file_is_read_in_blocks(run, monkeypatch):
    monkeypatch.setattr(sources, "_SMALL", 100)
    vectors = np.random.default_rng(0).normal(size=(40, 3)).astype("f4")
    vectors[30] = vectors[2]
    np.save("x.npy", vectors)
    np.save("y.npy", np.arange(40) % 2)
    options = ("duplicates", "x.npy", "--labels", "y.npy")
    result = run(*options, "--threshold", "0")
    assert result.exit_code == 0, result.output
    assert "x: 1 pair up to a distance of 0: 0 under two labels, 0 between training and test; " in (
        result.stdout
    )
    assert "elements were read in blocks." in result.stdout


def test_texts_and_rows_have_pairs(run):
    pytest.importorskip("rapidfuzz")
    reviews = pd.DataFrame({"text": ["good film", "bad film", "good film!"], "label": [1, 0, 0]})
    reviews.to_csv("reviews.csv", index=False)
    result = run("duplicates", "reviews.csv", "--threshold", "0.1")
    assert result.exit_code == 0, result.output
    assert "reviews: 1 pair up to a distance of 0.1: 1 under two labels" in result.stdout
    people = pd.DataFrame({"age": [1, 2, 5], "eyes": ["b", "b", "g"], "label": [1, 1, 0]})
    people.to_csv("people.csv", index=False)
    result = run("duplicates", "people.csv", "--threshold", "0.125", "--out", "p.csv")
    assert result.exit_code == 0, result.output
    assert pd.read_csv("p.csv")["distance"].tolist() == [0.125]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["t.parquet", "--out", "p.txt"], "give a name that ends in .csv, .json, .parquet"),
        (["digits", "--train-test"], "digits has no test set"),
        (["no.npz"], "no.npz"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, table, words, sentence):
    result = run("duplicates", *words)
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert "Traceback" not in result.output
