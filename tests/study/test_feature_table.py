import sys

import jax
import numpy as np
import pandas as pd
import pytest

import lcrjax
from lcrjax.study.columns import FEATURES
from lcrjax.study.feature_table import _side_by_side, features
from tests import reference

N_IMAGES, N_CLASSES = 60, 3
K, N = 5, 20  # one compilation serves nearly every test
SHORT = {"alpha": "alpha", "rho": "normalized_rho", "gamma": "gamma"}
LETTERS = {"A": "alpha", "R": "normalized_rho", "G": "gamma"}


@pytest.fixture
def dataset(rng):
    images = rng.integers(0, 256, (N_IMAGES, 6, 5, 3), np.uint8)
    labels = np.repeat(np.arange(N_CLASSES), N_IMAGES // N_CLASSES)
    subsets = np.stack([rng.permutation(N_IMAGES)[:N] for _ in range(K)])
    return images, labels, subsets


def wanted(images, labels, subset, similarity=None):
    """The 27 features from their definitions, in NumPy float64."""
    x = images[subset].reshape(len(subset), -1).astype(float)
    unit = 255 if images.dtype == np.uint8 else 1
    rmsd = np.sqrt(np.mean((x[:, None] - x[None]) ** 2, axis=-1)) / unit
    z = np.exp(-rmsd) if similarity is None else similarity(x)
    present = np.unique(labels[subset])
    abundance = (labels[subset][:, None] == present) / len(subset)
    classes, dataset, balance = reference.family(abundance, z @ abundance, [0, 1, np.inf])
    row = {"size": len(subset)}
    for i, q in enumerate(("0", "1", "inf")):
        row[f"CB_{q}"] = balance[i]
        for letter, measure in LETTERS.items():
            row[f"{letter}_{q}"] = dataset[measure][i]
        for short, measure in SHORT.items():
            row[f"min_{short}_{q}"] = classes[measure][i].min()
            row[f"max_{short}_{q}"] = classes[measure][i].max()
    return [row[name] for name in FEATURES]


def check(table, images, labels, subsets, close=1e-6):
    assert list(table.columns) == list(FEATURES)
    assert len(FEATURES) == 27
    assert (table.dtypes == np.float64).all()
    rows = [wanted(images, labels, subset) for subset in subsets]
    np.testing.assert_allclose(table.to_numpy(), rows, rtol=close)


def test_all_columns_equal_the_definitions_row_by_row(dataset, path):
    check(features(*dataset), *dataset)


def test_groups_of_subsets_are_computed_one_after_another(dataset, path, monkeypatch):
    found = features(*dataset)
    # The package has a function of the module's name.
    monkeypatch.setattr(sys.modules[features.__module__], "_MEMBERS_AT_ONCE", 2 * N)
    pd.testing.assert_frame_equal(features(*dataset), found, check_exact=True)


def test_uint8_and_their_fractions_give_the_same_bits(dataset):
    images, labels, subsets = dataset
    found = features(images, labels, subsets)
    fractions = features((images / 255).astype("f4"), labels, subsets)
    pd.testing.assert_frame_equal(found, fractions, check_exact=True)


def test_other_floats(dataset, rng):
    _, labels, subsets = dataset
    images = rng.random((N_IMAGES, 6, 5)).astype("f4")
    check(features(images, labels, subsets), images, labels, subsets, 2e-6)


@pytest.mark.parametrize("kind", ["uint8", "int64", "list"])
def test_labels_and_subsets_may_be_any_integers(kind, dataset):
    images, labels, subsets = dataset
    other = [list(x) if kind == "list" else x.astype(kind) for x in (labels, subsets)]
    pd.testing.assert_frame_equal(features(images, *other), features(*dataset))


def test_a_row_does_not_depend_on_its_neighbours(dataset, path):
    images, labels, subsets = dataset
    found = features(images, labels, subsets)
    backwards = features(images, labels, subsets[::-1])
    pd.testing.assert_frame_equal(backwards[::-1].reset_index(drop=True), found)
    same = features(images, labels, subsets)
    pd.testing.assert_frame_equal(same, found, check_exact=True)


def test_order_within_a_subset_is_of_no_matter(dataset, rng):
    images, labels, subsets = dataset
    shuffled = rng.permuted(subsets, axis=1)
    np.testing.assert_allclose(features(images, labels, shuffled), features(*dataset), rtol=1e-6)


def test_a_class_that_a_subset_lacks_does_not_count(dataset, path):
    images, labels, _ = dataset
    without = np.stack([np.flatnonzero(labels != 1)[i : i + N] for i in range(K)])
    found = features(images, labels, without)
    check(found, images, labels, without)
    assert found["CB_1"].max() <= 2 * (1 + 1e-6)
    alone = np.tile(np.flatnonzero(labels == 2)[:N], (K, 1))
    check(features(images, labels, alone), images, labels, alone)
    rare = np.tile(np.append(np.flatnonzero(labels == 0)[: N - 1], 59), (K, 1))
    check(features(images, labels, rare), images, labels, rare)


def test_minima_at_infinite_order_equal_the_dataset_level(dataset):
    """Hence they are no columns."""
    images, labels, subsets = dataset
    found = features(images, labels, subsets)
    for row, subset in enumerate(subsets):
        whole = lcrjax.measure(images[subset], labels[subset], q=np.inf)
        for letter, measure in LETTERS.items():
            least = np.min(whole.class_level[measure])
            np.testing.assert_allclose(found[f"{letter}_inf"][row], least, rtol=1e-6)
    assert not {f"min_{short}_inf" for short in SHORT} & set(FEATURES)


def test_equal_measure(dataset):
    images, labels, subsets = dataset
    found = features(images, labels, subsets)
    for row, subset in enumerate(subsets):
        whole = lcrjax.measure(images[subset], labels[subset])
        for i, q in enumerate(("0", "1", "inf")):
            for letter, measure in LETTERS.items():
                np.testing.assert_allclose(
                    found[f"{letter}_{q}"][row], whole.dataset_level[measure][i], rtol=1e-6
                )
        np.testing.assert_allclose(found["CB_inf"][row], whole.class_balance[2], rtol=1e-6)


def test_other_similarities(dataset):
    images, labels, subsets = dataset
    found = features(images / 255, labels, subsets, similarity=lcrjax.Gaussian(3.0))

    def gaussian(x):
        return np.exp(-np.sum((x[:, None] - x[None]) ** 2, axis=-1) / 255**2 / 18)

    rows = [wanted(images, labels, subset, gaussian) for subset in subsets]
    np.testing.assert_allclose(found.to_numpy(), rows, rtol=1e-5)


def test_one_size_compiles_once(dataset, rng, without_kernels):
    images, labels, subsets = dataset
    features(images, labels, subsets)
    compiled = _side_by_side._cache_size()
    features(images, labels, rng.permuted(subsets, axis=1))
    features(images, labels, np.concatenate([subsets, subsets])[: K + 1])
    features(images, labels, np.concatenate([subsets, subsets])[: K + 3])
    assert _side_by_side._cache_size() == compiled


def test_no_subsets_make_an_empty_table(dataset):
    images, labels, _ = dataset
    table = features(images, labels, np.empty((0, N), int))
    assert list(table.columns) == list(FEATURES)
    assert len(table) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"subsets": np.array([[0, N_IMAGES]])},
            "indices from 0 to 60, but there are images 0 to 59",
        ),
        ({"subsets": np.array([[-1, 0]])}, "indices from -1"),
        ({"subsets": np.array([0, 1])}, r"subsets have shape \(2,\)"),
        ({"subsets": np.empty((3, 0), int)}, r"subsets have shape \(3, 0\)"),
        ({"subsets": np.array([[0.0, 1.0]])}, "dtype float64"),
        ({"labels": np.zeros(N_IMAGES - 1, int)}, "there are 60 images and 59 labels"),
        ({"labels": np.zeros((N_IMAGES, 1), int)}, r"labels have shape \(60, 1\)"),
        ({"labels": np.zeros(N_IMAGES)}, "dtype float64"),
        ({"labels": np.full(N_IMAGES, -1)}, "labels hold -1"),
        ({"images": np.full((N_IMAGES, 4), np.nan)}, "NaN"),
        ({"images": np.zeros((N_IMAGES, 4), int)}, "dtype int64"),
        ({"similarity": np.eye(N_IMAGES)}, "has no subsets"),
        ({"similarity": "edit"}, "hold no text at 0"),
        ({"images": np.full((N_IMAGES, 2, 2), 255.0)}, "range from 255 to 255"),
    ],
)
def test_bad_input_is_named(change, message, dataset):
    given = dict(zip(("images", "labels", "subsets"), dataset, strict=True)) | change
    with pytest.raises(ValueError, match=message):
        features(**given)


def test_configuration_is_left_alone(dataset):
    before = dict(jax.config.values)
    features(*dataset)
    assert dict(jax.config.values) == before


TEXTS = [f"{'ab' * (i % 5)}{'xyz'[i % 3]}{i}" for i in range(N_IMAGES)]


@pytest.mark.parametrize("word", ["edit", "ngram", "gower", "cosine", "gaussian:median"])
def test_elements_of_any_kind(word, dataset, rng):
    _, labels, subsets = dataset
    elements = {"edit": TEXTS, "ngram": np.array(TEXTS)}.get(word)
    if elements is None:
        elements = rng.normal(size=(N_IMAGES, 4)).astype("f4")
    if word == "gower":
        elements = pd.DataFrame({"x": elements[:, 0], "c": [text[-1] for text in TEXTS]})
    whole = lcrjax.ordinariness(elements, np.eye(N_IMAGES, dtype="f4"), word)
    found = features(elements, labels, subsets[:2], similarity=word)
    for row, subset in zip(found.itertuples(), subsets, strict=False):
        part = np.asarray(whole)[np.ix_(subset, subset)]
        D = lcrjax.measure(part, labels[subset], similarity=part, q=(0, 1))
        for i, q in enumerate(("0", "1")):
            for letter, measure in LETTERS.items():
                value = getattr(row, f"{letter}_{q}")
                np.testing.assert_allclose(value, D.dataset_level[measure][i], rtol=1e-5)
