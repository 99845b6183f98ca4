import numpy as np
import pytest

import lcrjax
from lcrjax.report import selection_page
from lcrjax.report.page.chosen_curves import PANELS, follow
from lcrjax.report.page.rendering import significant
from lcrjax.selection import select
from tests.report.page.conftest import HOSTILE
from tests.report.page.pages import check
from tests.report.page.test_kinds import make

N, SIZE = 40, 10


@pytest.fixture(scope="module")
def pool():
    rng = np.random.default_rng(0)
    return rng.normal(size=(N, 3)).astype("f4"), np.repeat(["a", "b", "c"], [20, 12, 8])


def similarities(x):
    x = x.astype(np.float64)
    return np.exp(-np.linalg.norm(x[:, None] - x, axis=-1))


def worth(z, order, classes, n):
    """Diversity, match and nearness of all of an order, in NumPy."""
    k, u = len(order), np.full(len(z), 1 / len(z))
    p = np.bincount(order, minlength=len(z)) / k
    same = classes[:, None] == classes
    diversity = np.exp(-np.mean(np.log(((z * same) @ p)[order])))
    match = p @ z @ u / np.sqrt((p @ z @ p) * (u @ z @ u))
    return diversity, match, z[:n, order].max(axis=1).mean()


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("n_given", [0, 5])
def test_curves_are_those_of_each_part_of_the_selection(pool, labelled, n_given):
    x, y = pool
    given = x[:n_given] + np.float32(0.3) if n_given else None
    if n_given and labelled:
        given = given, y[:n_given]
    found = select(x, SIZE, y if labelled else None, similarity="laplacian:1", given=given)
    curves = follow(found)
    assert curves.sizes.tolist() == [*range(1, SIZE + 1)]
    assert curves.drawn.shape == (16, 3, SIZE)
    everything = np.concatenate([x, x[:n_given] + np.float32(0.3)])
    z = similarities(everything)
    classes = y if labelled and not n_given else np.zeros(len(z))
    for k in (1, 4, SIZE):
        order = np.concatenate([np.arange(N, N + n_given), found.indices[:k]])
        wanted = worth(z, order, classes, N)
        np.testing.assert_allclose(curves.chosen[:, k - 1], wanted, rtol=1e-5)
    order = np.concatenate([np.arange(N, N + n_given), found.indices])
    np.testing.assert_allclose(curves.near, z[:N, order].max(axis=1), rtol=1e-5)
    if labelled and not n_given:
        A = found.after.dataset_level["alpha"][1]
        np.testing.assert_allclose(curves.chosen[0, -1], A, rtol=1e-5)


def test_all_of_the_pool_is_the_pool(pool):
    x, y = pool
    found = select(x, N, y, similarity="laplacian:1", balance="proportional")
    curves = follow(found)
    np.testing.assert_allclose(curves.chosen[1:, -1], 1, rtol=1e-5)
    np.testing.assert_allclose(
        curves.drawn[:, :, -1], np.tile(curves.chosen[:, -1], (16, 1)), rtol=1e-5
    )
    size = curves.first("match", 0.95)
    at = curves.sizes.tolist().index(size)
    assert curves.chosen[1, at] >= 0.95 > curves.chosen[1, at - 1]
    assert curves.first("nearness", 1.1) is None


def test_random_selections_have_the_classes_of_the_chosen(pool):
    """So each is one of all elements of a class of which all are chosen."""
    x, y = pool
    found = select(x, 8, y, similarity="laplacian:1", balance={"c": 8})
    curves = follow(found)
    np.testing.assert_allclose(
        curves.drawn[:, :, -1], np.tile(curves.chosen[:, -1], (16, 1)), rtol=1e-5
    )
    assert np.ptp(curves.drawn[:, PANELS.index("match"), 0]) > 0


@pytest.mark.parametrize("kind", ["vectors", "texts", "rows"])
def test_a_page_shows_what_was_chosen_and_what_was_left(kind):
    dataset = make(kind)
    names = np.array(dataset.class_names)[dataset.train_labels]
    found = select(dataset.train.elements, 6, names)
    text = selection_page(dataset, found, alike="<i>by eye</i>")
    page = check(text)
    assert f"6 of 16 {kind}" in page.text
    assert "are: <i>by eye</i>." in page.text
    assert HOSTILE[0] in page.text
    for diversity in (found.before, found.after):
        for letter in ("alpha", "normalized_rho", "gamma"):
            for value in np.ravel(diversity.dataset_level[letter]):
                assert significant(float(value)) in page.text
    captions = [t.strip() for t in page.texts if t.strip() in {f"{i}." for i in range(1, 7)}]
    assert sorted(captions) == [f"{i}." for i in range(1, 7)]
    assert len(page.of("polygon")) == 3
    assert "of which most were chosen" not in page.text


def test_a_page_without_labels_speaks_of_no_classes(pool):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 4, 4), np.uint8)
    from lcrjax.data import from_arrays

    dataset = from_arrays("d", images, np.repeat("unlabelled", 30), test_fraction=0)
    found = select(images[:25], 5, given=images[25:])
    dataset = dataset.take(np.arange(25))
    page = check(selection_page(dataset, found))
    assert "No labels were known." in page.text
    assert "5 images were given" in page.text
    assert "of the same classes" not in page.text
    assert "A1" not in page.text
    G = lcrjax.measure(images[found.indices], ["all"] * 5, similarity=found.similarity, q=1.0)
    assert significant(float(G.dataset_level["gamma"][0])) in page.text
    assert len(page.of("img")) == 5 + 2 * 10  # half of those left are like chosen ones


def test_the_flat_part_is_told():
    """Copies of three images: three chosen ones stand for all, and beat random ones."""
    from lcrjax.data import from_arrays

    images = np.repeat(np.eye(3, dtype=np.uint8)[:, None] * 255, 20, axis=0)
    dataset = from_arrays("d", images, np.repeat("x", 60), test_fraction=0)
    page = check(selection_page(dataset, select(images, 6)))
    assert "6 images hold 100 % of what all 60 do (their match, below); the first 3 hold 95 %" in (
        page.text
    )
    outliers = np.concatenate(
        [images[:1].repeat(60, axis=0), np.random.default_rng(0).integers(0, 256, (6, 1, 3))]
    )
    dataset = from_arrays("d", outliers.astype(np.uint8), np.repeat("x", 66), test_fraction=0)
    found = select(dataset.train_images, 6, similarity="rmsd:10", objective="A_0")
    page = check(selection_page(dataset, found))
    assert "Random images hold more" in page.text


def test_a_selection_from_another_pool_is_refused(pool):
    x, y = pool
    dataset = make("vectors")
    for found in (select(x, 4, y), select(x[::-1], 20)):
        with pytest.raises(ValueError, match="the selection is not from the 16 training elements"):
            selection_page(dataset, found)
