import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lcrjax.pairwise.neighbours import nearest_neighbours


def search(images, labels, others=None, other_labels=None):
    """All pairs in int64, ties to the lower class and then the lower index."""
    same = others is None
    a = images.reshape(len(images), -1).astype(np.int64)
    b = a if same else others.reshape(len(others), -1).astype(np.int64)
    other_labels = labels if same else other_labels
    d = ((a[:, None] - b[None]) ** 2).sum(-1).astype(float)
    if same:
        np.fill_diagonal(d, np.inf)
    order = np.argsort(other_labels, kind="stable")
    found = []
    for wanted in (True, False):
        kind = (labels[:, None] == other_labels[None]) == wanted
        sorted_d = np.where(kind, d, np.inf)[:, order]
        at = sorted_d.argmin(axis=1)
        least = sorted_d[np.arange(len(a)), at]
        index = np.where(np.isfinite(least), order[at], -1)
        found.append((index, np.sqrt(least / a.shape[1]) / 255))
    return found


def check(*arguments):
    for found, (index, rmsd) in zip(
        nearest_neighbours(*arguments), search(*arguments), strict=True
    ):
        np.testing.assert_array_equal(found.index, index)
        np.testing.assert_allclose(found.rmsd, rmsd, rtol=1e-14)


#: Few distinct pixels, so that copies and ties abound; few shapes, so that programs are reused.
BYTES = hnp.arrays(np.uint8, st.tuples(st.integers(1, 30), st.just(2), st.just(2)),
                   elements=st.sampled_from([0, 1, 254, 255]))  # fmt: skip


@given(BYTES, BYTES, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_neighbours_are_those_of_a_plain_search(images, others, random):
    labels, other_labels = (
        np.array([random.randrange(3) for _ in part]) for part in (images, others)
    )
    check(images, labels)
    check(images, labels, others, other_labels)


@pytest.mark.parametrize(("n", "m", "classes"), [(1300, 600, 3), (600, 1100, 1), (1100, 1100, 500)])
def test_many_tiles_of_one_class_of_two_and_of_many(n, m, classes):
    rng = np.random.default_rng(n)
    images, others = (rng.integers(0, 6, (k, 3, 3), dtype=np.uint8) for k in (n, m))
    labels, other_labels = (rng.integers(0, classes, k) for k in (n, m))
    check(images, labels)
    check(images, labels, others, other_labels)


def test_planted_copies_are_found_at_distance_zero():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (700, 6, 6, 3), dtype=np.uint8)
    labels = rng.integers(0, 4, 700)
    images[40], labels[40] = images[3], labels[3]
    images[600], labels[600] = images[7], (labels[7] + 1) % 4
    within, across = nearest_neighbours(images, labels)
    assert (within.index[3], within.index[40], across.index[7], across.index[600]) == (
        40,
        3,
        600,
        7,
    )
    np.testing.assert_array_equal(np.flatnonzero(within.rmsd == 0), [3, 40])
    np.testing.assert_array_equal(np.flatnonzero(across.rmsd == 0), [7, 600])


def test_large_images_keep_copies_apart_from_images_that_nearly_are():
    """Their squared distances do not fit an int32."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 110, 110, 3), dtype=np.uint8)
    images[1] = images[0]
    images[2] = images[0]
    images[2, 0, 0, 0] ^= 1
    images[4] = 255 - images[3]
    within, _ = nearest_neighbours(images, np.zeros(6, int))
    np.testing.assert_array_equal(within.index[:3], [1, 0, 0])
    np.testing.assert_allclose(within.rmsd[:3], [0, 0, 1 / 255 / np.sqrt(110 * 110 * 3)])


def test_floats_that_are_bytes_go_the_same_way_and_others_come_close():
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (90, 5, 5), dtype=np.uint8), rng.integers(0, 3, 90)
    others, other_labels = images[::2] // 2, labels[::2]
    arguments = images, labels, others, other_labels
    exact = nearest_neighbours(*arguments)
    fractions = [a / np.float32(255) if a.ndim == 3 else a for a in arguments]
    for a, b in zip(exact, nearest_neighbours(*fractions), strict=True):
        np.testing.assert_array_equal(a.index, b.index)
        np.testing.assert_array_equal(a.rmsd, b.rmsd)
    moved = [a * np.float32(0.999) if a.ndim == 3 else a for a in fractions]
    for a, b in zip(exact, nearest_neighbours(*moved), strict=True):
        np.testing.assert_allclose(0.999 * a.rmsd, b.rmsd, rtol=1e-5)


def test_progress_grows_to_one():
    told = []
    nearest_neighbours(np.zeros((1200, 1, 1), np.uint8), np.zeros(1200, int), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((2, 1, 1), np.uint8), [0], "labels must be 2 integers"),
        (np.zeros((2, 1, 1), np.uint8), [0, -1], "labels must be 2 integers"),
        (np.zeros((2, 1, 1), np.uint8), ["a", "b"], "labels must be 2 integers"),
        (np.zeros((0, 1, 1), np.uint8), np.zeros(0, int), "no images"),
        (np.zeros((2, 1, 1), np.int16), [0, 1], "int16"),
    ],
)
def test_bad_input_is_a_sentence(images, labels, message):
    with pytest.raises(ValueError, match=message):
        nearest_neighbours(images, labels)
    with pytest.raises(ValueError, match="other_labels must be 2"):
        nearest_neighbours(np.zeros((1, 1, 1), np.uint8), [0], np.zeros((2, 1, 1), np.uint8), [0])
