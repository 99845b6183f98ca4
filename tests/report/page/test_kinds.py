import numpy as np
import pandas as pd
import pytest

import lcrjax
from lcrjax.data import Dataset, Split
from lcrjax.report import PROFILE_ORDERS, dataset_page, profile_figure, similarity_figure
from lcrjax.report.page.excerpts import excerpt
from lcrjax.report.page.rendering import significant
from tests.report.page.pages import check

HOSTILE = "<script>alert(1)</script>"


def make(kind, tested=True):
    """A small dataset without pictures; its first vector leaks into the test set."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [9, 7])
    vectors = rng.normal(size=(16, 9)).astype("f4") + 3
    words = np.array(["a <b>bold</b>", "claim", HOSTILE, "or two", "of it"])
    elements = {
        "vectors": vectors,
        "texts": np.array([" ".join(rng.permutation(words)) for _ in labels]),
        "rows": pd.DataFrame({HOSTILE: vectors[:, 0], "colour": rng.choice(["<i>", "blue"], 16)}),
    }[kind]
    train = Split(elements, labels, np.array([f"{HOSTILE}{i}" for i in labels]))
    test = train.take(np.array([0, 3, 10, 12]))
    if kind == "vectors":
        test = Split(test.elements + np.float32([[0], [1], [1], [1]]), test.labels)
    return Dataset("odd", train, test if tested else None, (HOSTILE, "b"), kind)


@pytest.mark.parametrize(
    ("kind", "word", "said"),
    [
        ("vectors", None, "How alike two vectors are: cosine of vectors."),
        ("vectors", "gaussian:median", "median of a sample of at most 2,000"),
        ("vectors", "rmsd:2", "if their components differ little: Z = exp(−2 · RMSD)."),
        ("texts", None, "are: cosine of character n-grams of texts, n = 3."),
        ("texts", "edit", "are: normalised edit similarity of texts."),
        ("rows", None, "are: Gower's similarity of rows."),
    ],
)
def test_a_page_speaks_of_what_there_is(kind, word, said):
    dataset = make(kind)
    text = dataset_page(dataset, similarity=word)
    page = check(text)
    assert said in page.text
    usual = {"vectors": "cosine", "texts": "ngram", "rows": "gower"}[kind]
    found = lcrjax.measure(
        dataset.train.elements, dataset.train_labels, similarity=word or usual, q=(0, 1, 2, np.inf)
    )
    for measure in ("alpha", "normalized_rho", "gamma", "normalized_alpha"):
        for value in np.ravel(found.dataset_level[measure]):
            assert significant(float(value)) in page.text
    for other in {"image", "images", "vector", "vectors", "text", "texts", "row", "rows"} - {
        kind,
        kind[:-1],
    }:
        assert f" {other} " not in page.text, other
    assert "pixels alone" not in page.text
    assert "their pixels" not in page.text
    assert HOSTILE in page.text
    assert "alert(" not in "".join(page.of("script")[0])
    near = "1 of 4 test vectors (25 %) has a near-duplicate in training, 1 of them to the last bit"
    assert (near in page.text) == (kind == "vectors")
    assert ("Near-duplicates are found by distances" in page.text) == (kind != "vectors")


def test_figures_take_what_they_can_show():
    dataset = make("texts")
    whole = profile_figure(dataset).axes[0].lines[-1].get_ydata()
    found = lcrjax.measure(
        dataset.train.elements, dataset.train_labels, similarity="ngram", q=PROFILE_ORDERS
    )
    np.testing.assert_array_equal(whole, found.dataset_level["alpha"])
    with pytest.raises(ValueError, match="odd holds texts: the figure shows images"):
        similarity_figure(dataset)


def test_an_excerpt_is_short():
    assert excerpt(np.array(["a\n b" * 200]), "texts", 0).startswith("a ba b")
    assert len(excerpt(np.array(["x" * 999]), "texts", 0)) == 160
    table = pd.DataFrame({f"c{i}": [i / 3, "y" * 99] for i in range(12)})
    assert excerpt(table, "rows", 0).startswith("c0: 0; c1: 0.333333; ")
    assert excerpt(table, "rows", 0).endswith("c7: 2.33333; …")
    assert excerpt(np.array([[1.5, -2, 3]]), "vectors", 0) == "1.5, -2, 3"
    assert excerpt(np.zeros((1, 9)), "vectors", 0) == "0, 0, 0, 0, 0, 0, …"


def test_a_matrix_is_a_similarity_of_a_page(tmp_path):
    dataset = make("texts", tested=False)
    z = np.asarray(lcrjax.ordinariness(dataset.train.elements, np.eye(16), "edit"))
    np.save(tmp_path / "Z.npy", z)
    text = check(dataset_page(dataset, similarity=f"file:{tmp_path / 'Z.npy'}")).text
    by_words = check(dataset_page(dataset, similarity="edit")).text
    assert text.split("Choose the viewpoint")[1] == by_words.split("Choose the viewpoint")[1]
    with pytest.raises(ValueError, match="has no similarities of test texts"):
        dataset_page(make("texts"), similarity=f"file:{tmp_path / 'Z.npy'}")
    with pytest.raises(ValueError, match="'rmsd' compares images or vectors, no texts"):
        dataset_page(dataset, similarity="rmsd")
