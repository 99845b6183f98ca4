import numpy as np
import pytest

import lcrjax
from lcrjax.measures.family import MEASURES


@pytest.mark.parametrize("labels", [[0, None, 1, 1], ["a", None, "b", "b"]])
def test_labels_that_are_missing(labels):
    with pytest.raises(ValueError, match="labels hold None"):
        lcrjax.measure(np.zeros((4, 2, 2), np.uint8), labels)


def test_measure_by_hand():
    """Black and white images, RMSD 0 within and 1 between: Z = 1 and 1/e."""
    images = np.zeros((4, 2, 2), np.uint8)
    images[1], images[3] = 255, 255
    found = lcrjax.measure(images, ["one", "one", "two", "two"], q=(0, 1, np.inf))
    mean = (1 + np.exp(-1)) / 2
    assert found.class_names == ("one", "two")
    for q in range(3):
        np.testing.assert_allclose(found.class_level["gamma"][q], 1 / mean, rtol=1e-6)
        np.testing.assert_allclose(found.class_level["normalized_alpha"][q], 1 / mean, rtol=1e-6)
        np.testing.assert_allclose(found.class_level["alpha"][q], 2 / mean, rtol=1e-6)
        np.testing.assert_allclose(found.class_level["rho"][q], 2, rtol=1e-6)
        np.testing.assert_allclose(found.dataset_level["normalized_rho"][q], 1, rtol=1e-6)
        np.testing.assert_allclose(found.class_level["rho_hat"][q], 1, rtol=1e-6)
        np.testing.assert_allclose(found.class_level["beta_hat"][q], 0, atol=1e-6)
    np.testing.assert_allclose(found.class_balance, 2, rtol=1e-6)


def test_labels_of_any_kind_give_the_same():
    images = np.random.default_rng(0).integers(0, 256, (4, 2, 2), np.uint8)
    found = lcrjax.measure(images, ["a", "b", "b", "a"])
    for labels in ([0, 1, 1, 0], [[0], [1], [1], [0]], [False, True, True, False], [3.0, 7, 7, 3],
                   np.array([0, 1, 1, 0], np.uint8)):  # fmt: skip
        other = lcrjax.measure(images, labels)
        for name in MEASURES:
            np.testing.assert_array_equal(other.class_level[name], found.class_level[name])
    assert lcrjax.measure(images, [3, 7, 7, 3]).class_names == ("3", "7")


def test_elements_may_be_strings():
    words = np.array(["ab", "abc", "xy", "x"])

    def alike(x, y):
        return len(set(x) & set(y)) / len(set(x) | set(y))

    found = lcrjax.measure(words, [0, 0, 1, 1], similarity=lcrjax.PythonFunction(alike))
    mean = np.mean([[alike(x, y) for y in words] for x in words], axis=1)
    np.testing.assert_allclose(found.dataset_level["gamma"][0], np.mean(1 / mean), rtol=1e-6)


REAL = {
    "blood": (0.823, 1.215, 1.215, 1.180, 9.399),
    "pneumonia": (0.836, 1.197, 1.197, 1.150, 2.378),
    "covid2": (0.780, 1.284, 1.283, 1.218, 2.555),
    "mednist": (0.718, 1.396, 1.394, 1.279, 7.297),
    "brain": (0.820, 1.221, 1.220, 1.176, 4.887),
    "breast": (0.803, 1.247, 1.246, 1.190, 2.482),
}


@pytest.mark.parametrize("name", REAL)
def test_real_images(name, real_images):
    images, labels = real_images(name)
    found = lcrjax.measure(images, labels)
    mean, *gamma, alpha = REAL[name]
    np.testing.assert_allclose(found.dataset_level["gamma"], gamma, atol=6e-4)
    np.testing.assert_allclose(found.dataset_level["alpha"][0], alpha, atol=6e-4)
    weights = np.full(len(images), 1 / len(images), "f4")
    np.testing.assert_allclose(np.mean(lcrjax.ordinariness(images, weights)), mean, atol=6e-4)


IMAGES = np.zeros((4, 2, 2), np.uint8)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES, [0, 1, 0], "there are 4 images and 3 labels"),
        (IMAGES, np.zeros((4, 2)), r"labels have shape \(4, 2\)"),
        (IMAGES, [0, 1.5, 0, 1], "labels hold 1.5"),
        (IMAGES, [0, np.nan, 0, 1], "labels hold nan"),
        (IMAGES[:0], [], r"labels have shape \(0,\)"),
        (IMAGES.astype(np.int64), [0, 1, 0, 1], "dtype int64"),
        (IMAGES + 1.5, [0, 1, 0, 1], "range from 1.5 to 1.5"),
        (IMAGES - 0.5, [0, 1, 0, 1], "range from -0.5"),
        (IMAGES + np.nan, [0, 1, 0, 1], "NaN"),
        (np.zeros(4), [0, 1, 0, 1], r"shape \(4,\)"),
        (np.array(["a"] * 4)[:, None], [0, 1, 0, 1], "dtype"),
    ],
)
def test_bad_images_and_labels_are_named(images, labels, message):
    with pytest.raises(ValueError, match=message):
        lcrjax.measure(images, labels)
