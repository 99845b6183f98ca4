import json

import numpy as np
import pytest


@pytest.fixture
def files(run):
    """Two files of images with a copy between them, and a test set that holds one of the first."""
    rng = np.random.default_rng(0)
    a, b, t = (rng.integers(0, 256, (n, 3, 3), dtype=np.uint8) for n in (12, 9, 6))
    b[4], t[1] = a[5], a[0]
    labels = np.array(["cat", "dog", "owl"])
    np.savez("a.npz", train_images=a, train_labels=labels[np.arange(12) % 3])
    np.savez("b.npz", train_images=b, train_labels=labels[np.arange(9) % 2])
    test = {"test_images": t, "test_labels": labels[np.arange(6) % 3]}
    np.savez("t.npz", train_images=a[:3], train_labels=labels, **test)
    return ["compare", "a.npz", "b.npz", "--target", "t.npz", "--quiet"]


def test_two_datasets_side_by_side(run, files):
    result = run(*files, "--report", "page.html", "--out", "n.json")
    assert result.exit_code == 0, result.output
    assert "s = 1; of the nearest, and of a target, exp(−s · RMSD) of images, s = 10" in (
        result.stdout
    )
    for said in (
        "Diversity of each",
        "How well each represents t",
        "! b lacks the class owl of a.",
        "! 1 element of t has a near-duplicate in a, and 0 in b",
        "- Which makes the better model is not known",
        "1 near-duplicate pair between a and b",
    ):
        assert said in result.stdout
    with open("page.html", encoding="utf-8") as file:
        assert "<h1>a and b</h1>" in file.read()
    with open("n.json", encoding="utf-8") as file:
        rows = json.load(file)
    assert {row["part"] for row in rows} == {"measure", "between", "target"}
    assert {row["q"] for row in rows} == {0, 1, "inf", None}


def test_everything_as_json(run, files):
    result = run(*files, "--json", "--draws", "0", "--q", "1,inf")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["b"] == {"name": "b", "size": 9, "classes": {"cat": 5, "dog": 4}}
    assert found["target"]["size"] == 6
    assert found["near_duplicates"]["pairs"] == [{"a": "5", "b": "4", "distance": 0}]
    assert found["near_duplicates"]["under_two_labels"] == 1
    assert found["verdict"]["better"] is None
    rows = {(r["name"], r["q"], r["level"]): r for r in found["rows"]}
    assert rows["size", None, "dataset"]["difference"] == -3
    assert rows["alpha", "inf", "dataset"]["lower"] is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a.npz", "digits"], "images of a have shape (3, 3) and those of digits (8, 8): resize"),
        (["a.npz", "b.npz", "--q", "-1"], "--q holds '-1'"),
        (["a.npz", "b.npz", "--similarity", "edit"], "compares texts, no images"),
        (["a.npz", "b.npz", "--out", "n.txt"], "give a name that ends in .csv, .json, .parquet"),
        (["a.npz", "none.npz"], "none.npz"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, files, words, sentence):
    result = run("compare", *words)
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.output
