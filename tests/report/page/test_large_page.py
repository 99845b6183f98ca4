"""The page of data whose pairs are too many: estimates, and drawn elements compared with all."""

import dataclasses

import numpy as np
import pytest

import lcrjax
from lcrjax.data import Dataset, Split
from lcrjax.measures.readable import readable
from lcrjax.report import dataset_page
from lcrjax.report.page import measured as measuring
from lcrjax.report.page.measured import measure_dataset
from lcrjax.report.page.rendering import significant
from tests.report.page.pages import check

N, T, ROWS = 600, 300, 120


@pytest.fixture(scope="module")
def vectors():
    """Three classes, one of them of three vectors; copies within training, and of it in test."""
    rng = np.random.default_rng(0)
    y, tests = np.resize([0, 1], N), np.resize([0, 1], T)
    y[-3:], tests[-1] = 2, 2
    x = rng.normal(size=(N, 3)).astype("f4") + y[:, None]
    x[1::40] = x[::40]  # under another label
    other = rng.normal(size=(T, 3)).astype("f4") + tests[:, None]
    other[::3] = x[:100]
    train, test = Split(x.astype("f4"), y), Split(other.astype("f4"), tests)
    return Dataset("large", train, test, ("a", "b", "c"), kind="vectors")


def found(dataset, **options):
    return measure_dataset(dataset, similarity="gaussian:1", **options)


@pytest.fixture(scope="module")
def both(vectors):
    return found(vectors, rows=ROWS), found(vectors)


def test_what_is_drawn_is_compared_with_all(vectors, both):
    some, all_of_it = both
    assert len(some.rows) == len(some.tests) == ROWS
    np.testing.assert_allclose(some.own, all_of_it.own[some.rows], 1e-5)
    for name in ("test_own", "test_in_own", "test", "test_in"):
        np.testing.assert_allclose(getattr(some, name), getattr(all_of_it, name)[some.tests], 1e-5)
    for kind in range(2):
        for split, places in (("train_near", some.rows), ("test_near", some.tests)):
            own, wanted = getattr(some, split)[kind], getattr(all_of_it, split)[kind]
            np.testing.assert_allclose(own.rmsd, wanted.rmsd[places], rtol=1e-5)
            np.testing.assert_array_equal(own.index, wanted.index[places])
    # Fewer than one of all would be so near by chance, not of those that were drawn.
    part = min(1 / 4, N ** (-1 / some.nearness.dimension))
    assert some.nearness.threshold == pytest.approx(part * np.median(some.train_rmsd))
    assert some.pairs_within is some.pairs_across is None


def test_the_page_shows_estimates_and_says_so(vectors):
    page = check(dataset_page(vectors, similarity="gaussian:1", rows=ROWS))
    assert "lcrjax report --exact compares all pairs" in page.text
    own = lcrjax.measure(
        vectors.train.elements, vectors.train_labels, similarity=lcrjax.Gaussian(1.0),
        q=(0, 1, 2, np.inf), rows=ROWS, class_names=vectors.class_names,
    )  # fmt: skip
    assert f"Diversity is an estimate from {own.rows} of {N} training vectors" in page.text
    for level, interval in (
        ("dataset_level", "dataset_interval"),
        ("class_level", "class_interval"),
    ):
        for name in ("alpha", "normalized_rho", "gamma", "normalized_alpha"):
            values, ends = getattr(own, level)[name], getattr(own, interval)[name]
            for i in range(4):
                for value, end in zip(
                    np.ravel(values[i]).tolist(), ends[i].reshape(-1, 2).tolist(), strict=True
                ):
                    bound = i == 3 and end[0] < end[1]
                    assert readable(value, *end, bound, significant) in page.text
    assert "±" in page.text.split("A1")[1][:20]
    assert "was compared with every other" not in page.text
    assert "drawn test vectors" in page.text
    assert "pairs within a class" not in page.text
    assert "at q = 2." in page.text  # relative diversity at infinity would be an extreme


def test_what_is_drawn_is_shown_by_its_own_place(vectors, both):
    """Elements are named by their places among all."""
    some, _ = both
    text = dataset_page(vectors, similarity="gaussian:1", rows=ROWS)
    for c in range(2):
        mine = some.rows[vectors.train_labels[some.rows] == c]
        value = some.own[vectors.train_labels[some.rows] == c]
        best = int(mine[np.argmax(value.round(6))])
        assert f"training vector {best}" in text


def test_large_data_are_drawn_from_unless_all_is_asked_for(vectors, monkeypatch):
    whole = dataset_page(vectors, similarity="gaussian:1")
    assert "±" not in check(whole).text
    monkeypatch.setattr(measuring, "ALL_PAIRS", N)
    monkeypatch.setattr(measuring, "_ROWS", ROWS)
    small = dataclasses.replace(vectors, test=None)
    assert "±" not in dataset_page(small, similarity="gaussian:1")
    some = dataset_page(vectors, similarity="gaussian:1")
    assert some == dataset_page(vectors, similarity="gaussian:1", rows=ROWS)
    for options in ({"exact": True}, {"rows": N}):
        assert dataset_page(vectors, similarity="gaussian:1", **options) == whole


def test_a_matrix_is_summed_as_a_whole(tmp_path, vectors):
    x = vectors.train.elements.astype("f8")
    z = np.exp(-np.linalg.norm(x[:, None] - x[None], axis=2))
    np.save(tmp_path / "z.npy", z)
    some = measure_dataset(
        dataclasses.replace(vectors, test=None), similarity=f"file:{tmp_path / 'z.npy'}", rows=ROWS
    )
    assert some.diversity.rows is None
    same = vectors.train_labels[some.rows, None] == vectors.train_labels
    wanted = (z[some.rows] * same).sum(axis=1) / same.sum(axis=1)
    np.testing.assert_allclose(some.own, wanted, rtol=1e-5)


def test_bad_input(vectors):
    with pytest.raises(ValueError, match="rows is 9, and all pairs are asked for: give one"):
        dataset_page(vectors, rows=9, exact=True)
    with pytest.raises(ValueError, match="give two for each at least, 6"):
        dataset_page(vectors, rows=3)
