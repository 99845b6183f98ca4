import functools

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from lcrjax.data import load
from lcrjax.study.design.levels import OUTLIERS, design_levels, even_counts, room

LEVELS, CLASSES, COUNT = 6, 4, 10
SIZE = CLASSES * COUNT


@functools.cache
def digits():
    """Images and labels of the digits 0 to 3."""
    data = load("digits")
    few = data.train_labels < CLASSES
    return data.train_images[few], data.train_labels[few]


def design(**changes):
    images, labels = digits()
    counts = even_counts(SIZE, room(labels))
    settings = {"levels": LEVELS, "repetitions": 2, "name": "digits"} | changes
    return design_levels(images, labels, [counts], **settings)


designed = functools.cache(design)


@functools.cache
def similarities():
    images = digits()[0]
    x = images.reshape(len(images), -1).astype(float)
    return np.exp(-10 * cdist(x, x) / np.sqrt(x.shape[1]))


def own_similarity(subset):
    """Mean similarity of members to those of their class, by definition: small if diverse."""
    labels = digits()[1][subset]
    z = similarities()[np.ix_(subset, subset)]
    return np.mean([z[i, labels == c].mean() for i, c in enumerate(labels)])


def test_all_have_the_same_size_and_class_counts_and_no_image_twice():
    found = designed()
    assert found.subsets.shape == (2 * len(OUTLIERS) * LEVELS, SIZE)
    for subset in found.subsets:
        assert np.bincount(digits()[1][subset]).tolist() == [COUNT] * CLASSES
        assert len(set(subset.tolist())) == SIZE
    assert len(set(found.checksum.tolist())) == len(found.subsets)


def test_each_level_is_more_diverse_than_the_one_before():
    found = designed()
    own = np.array([own_similarity(subset) for subset in found.subsets])
    for outliers in OUTLIERS:
        means = [
            own[(found.level == k) & (found.outliers == outliers)].mean() for k in range(LEVELS)
        ]
        assert (np.diff(means) < 0.01).all(), means
        assert means[0] - means[-1] > 0.05, means
    assert own[found.level == 0].min() > own[found.level == LEVELS - 1].max()


def test_outliers_are_avoided_or_sought():
    found, labels = designed(), digits()[1]
    rank = np.empty(len(labels))
    for c in range(CLASSES):
        (own,) = np.nonzero(labels == c)
        order = np.argsort(similarities()[np.ix_(own, own)].mean(axis=1))
        rank[own[order]] = np.arange(len(own)) / len(own)
    at = {name: found.subsets[found.outliers == name] for name in OUTLIERS}
    # Of the least ordinary fifth of a class none, but for what another pool calls so.
    assert (rank[at["avoided"]] < 0.15).mean() == 0
    random = (rank[at["sought"][[2, 3, 8, 9]]] < 0.2).mean()
    most = (rank[at["sought"][[0, 5, 6, 11]]] < 0.2).mean()
    assert most > 1.5 * max(random, 0.2)


def test_the_redundant_are_the_nearest_of_one():
    found, labels = designed(), digits()[1]
    for subset in found.subsets[found.level == 0]:
        for c in range(CLASSES):
            (own,) = np.nonzero(labels == c)
            members = subset[labels[subset] == c]
            z = similarities()[np.ix_(members, own)]
            ranks = np.argsort(np.argsort(-z, axis=1), axis=1)[:, np.searchsorted(own, members)]
            assert ranks.max(axis=1).min() < 20  # of 135; at random the median is above 100


def test_name_and_seed_decide():
    few = {"levels": 2, "repetitions": 1}
    first, again, other = design(**few), design(**few), design(**few, seed=1)
    for a, b in zip(again, first, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not set(other.checksum.tolist()) & set(first.checksum.tolist())


def test_room_leaves_something_to_choose():
    labels = np.repeat([0, 1, 2, 3], [1, 2, 150, 10_000])
    # Nine tenths of 150 are 135, four fifths of these 108, two thirds of these 72.
    assert room(labels).tolist() == [1, 1, 72, 1600]


@pytest.mark.parametrize(
    ("n", "most", "counts"),
    [
        (8, [5, 5, 5], [3, 3, 2]),
        (8, [5, 9, 9], [2, 3, 3]),
        (20, [2, 9, 30], [2, 9, 9]),
        (24, [2, 9, 30], [2, 9, 13]),
    ],
)
def test_counts_are_as_even_as_classes_allow(n, most, counts):
    assert even_counts(n, np.array(most)).tolist() == counts
