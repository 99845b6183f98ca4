"""Classes of labels: as `np.unique` finds them, in linear time."""

import numpy as np
import pytest
from scipy import stats

from lcrjax.measures import labels, strata
from lcrjax.measures.labels import numbered

N = 300
LABELS = {
    "whole numbers": lambda rng: rng.integers(-5, 7, N) * 3,
    "from zero": lambda rng: rng.integers(0, 4, N).astype("u2"),
    "all of a byte": lambda rng: np.append(rng.integers(-128, 128, N), [-128, 127]).astype("i1"),
    "far apart": lambda rng: rng.choice([-(2**62), 3, 2**62], N),
    "large": lambda rng: rng.integers(2**64 - 9, 2**64, N, np.uint64, endpoint=False),
    "booleans": lambda rng: rng.random(N) < 0.3,
    "floats": lambda rng: rng.integers(-2, 3, N) / 1.0,
    "strings": lambda rng: rng.choice(["b", "aa", "", "é", "B"], N),
    "bytes": lambda rng: rng.choice([b"b", b"aa"], N),
    "objects": lambda rng: rng.choice(np.array(["cat", "a dog", "b"], object), N),
    "numbers as objects": lambda rng: rng.choice(np.array([3, 1, True, 7], object), N),
}


@pytest.mark.parametrize("kind", LABELS)
def test_classes_are_those_of_unique(kind, rng, monkeypatch):
    monkeypatch.setattr(labels, "_AT_ONCE", 64)
    given = LABELS[kind](rng)
    wanted, places = np.unique(given, return_inverse=True)
    names, classes = numbered(given)
    assert sorted(names) == sorted(map(str, wanted))
    assert [names[i] for i in classes] == list(map(str, wanted[places]))
    if given.dtype.kind in "iufb":
        np.testing.assert_array_equal(classes, places)
    assert classes.dtype == np.int32


@pytest.mark.parametrize("given", [[1, "a", 2], [("a", 1), "b"]])
def test_labels_of_several_kinds(given):
    kinds = np.empty(len(given), object)
    kinds[:] = given
    with pytest.raises(ValueError, match="labels are of several kinds: give one kind alone"):
        numbered(kinds)


def test_members_of_classes(rng, monkeypatch):
    monkeypatch.setattr(strata, "_AT_ONCE", 64)
    classes = rng.choice([0, 1, 3, 300], N).astype("i4")
    present, own = strata.present_classes(classes)
    assert present.tolist() == [0, 1, 3, 300]
    np.testing.assert_array_equal(present[own], classes)
    np.testing.assert_array_equal(strata.class_sizes(classes), np.bincount(classes))
    for i, members in enumerate(strata.members_of(own)):
        np.testing.assert_array_equal(members, np.flatnonzero(own == i))
    assert strata.present_classes(own)[1] is own


def test_places_are_drawn_evenly_of_each_class():
    """Of those that few draws hold, and of one that they miss, which is looked through."""
    rng = np.random.default_rng(0)
    own = np.zeros(40_000, np.int32)
    own[20_000:] = 1
    own[::8000] = 2  # five
    sizes = strata.class_sizes(own)
    times = np.zeros((2, 4))
    for _ in range(60):
        sample = strata.drawn_evenly(own, sizes, 200, rng)
        assert len(np.unique(sample.rows)) == sample.taken.sum() == 200
        np.testing.assert_array_equal(own[sample.rows], np.repeat([0, 1, 2], sample.taken))
        assert (sample.taken[2], *sample.strata) == (5, 1, 1, 1)
        np.testing.assert_allclose(sample.weights.sum(), len(own))
        for j in range(2):
            its = sample.rows[own[sample.rows] == j]
            times[j] += np.bincount((its - 20_000 * j) // 5000, minlength=4)
    assert stats.chisquare(times.ravel()).pvalue > 1e-4
    rows = strata.drawn_evenly(np.arange(400) % 2, np.array([200, 200]), 399, rng).rows
    assert len(np.unique(rows)) == 399


def test_few_of_many_are_drawn_evenly():
    """Without a permutation of all: each once at most, and each as likely as the other."""
    many, rng = np.arange(40_000), np.random.default_rng(0)
    draws = np.stack([strata.drawn([many], 400, rng).rows for _ in range(50)])
    assert all(len(set(draw)) == 400 for draw in draws.tolist())
    found = np.bincount(draws.ravel() // 4_000)
    assert abs(found - 2_000).max() < 5 * np.sqrt(2_000)
    first = np.bincount(draws[:, :20].ravel() // 4_000)  # in random order too
    assert abs(first - 100).max() < 5 * np.sqrt(100)
