import numpy as np
import pytest

from lcrjax.pairwise.close_pairs import (
    count_close_pairs,
    intrinsic_dimension,
    list_close_pairs,
    nearness,
)
from lcrjax.pairwise.neighbours import nearest_neighbours


@pytest.mark.parametrize("m", [2, 6, 12])
def test_the_dimension_of_points_in_a_cube_is_found(m):
    rng = np.random.default_rng(m)
    points = rng.uniform(size=(4000, m, 1)).astype(np.float32)
    turned = np.einsum("nmk,ml->nlk", points, np.eye(m, 20, dtype=np.float32) * 0.5)
    assert intrinsic_dimension(turned) == pytest.approx(m, rel=0.2)


def test_the_dimension_comes_from_the_two_nearest_of_all_images():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (700, 4, 4), dtype=np.uint8)
    images[5] = images[600]  # copies do not count
    d = np.sqrt(((images[:, None].astype(float) - images[None]) ** 2).mean((2, 3)))
    np.fill_diagonal(d, np.inf)
    first, second = np.sort(d, axis=1)[:, :2].T
    expected = np.log(2) / np.log(np.median(second[first > 0] / first[first > 0]))
    assert intrinsic_dimension(images) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("images", [np.zeros((2, 1, 1)), np.zeros((9, 1, 1)), np.eye(5)[..., None]])
def test_no_dimension_where_distances_do_not_tell(images):
    assert intrinsic_dimension(images.astype(np.uint8)) == np.inf


def test_the_threshold_is_a_quarter_of_the_median_or_less():
    rmsd = np.array([0.1, 0.2, 0.3, np.inf])
    found = nearness(rmsd, 20.0)
    assert (found.threshold, found.median) == (0.05, 0.2)
    assert found.expected == pytest.approx(3 * (1 - 2 ** -(0.25**20)))
    low = nearness(np.full(10_000, 0.2), 4.0)
    assert low.threshold == pytest.approx(0.2 / 10)
    assert low.expected == pytest.approx(np.log(2), rel=1e-3)
    assert nearness(np.full(3, np.inf), 5.0).threshold == 0
    assert nearness(rmsd, float("inf")).expected == 0


def test_independent_images_have_no_near_duplicates_and_planted_ones_are_all_found():
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (900, 6, 6), dtype=np.uint8)
    planted = rng.choice(450, 100, replace=False)
    noise = rng.integers(-2, 3, (100, 6, 6))
    images[450 + planted] = np.clip(images[planted].astype(int) + noise, 0, 255)
    labels = np.zeros(900, int)
    within, _ = nearest_neighbours(images, labels)
    near = within.rmsd <= nearness(within.rmsd, intrinsic_dimension(images)).threshold
    np.testing.assert_array_equal(np.flatnonzero(near), np.sort([*planted, *450 + planted]))


def test_pairs_are_counted_once_each_by_kind():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 3, (1100, 2, 3), dtype=np.uint8)
    labels = rng.integers(0, 3, 1100)
    d = np.sqrt(((images[:, None].astype(float) - images[None]) ** 2).mean((2, 3))) / 255
    i, j = np.triu_indices(1100, 1)
    thresholds = [0, 0.0021, 0.0035]
    within, across = count_close_pairs(images, labels, np.ones(1100, bool), thresholds)
    for k, threshold in enumerate(thresholds):
        close, alike = d[i, j] <= threshold, labels[i] == labels[j]
        assert within[k] == np.sum(close & alike) > 0
        assert across[k] == np.sum(close & ~alike) > 0
    few = count_close_pairs(images, labels, np.zeros(1100, bool), thresholds)
    assert not np.any(few)


@pytest.mark.parametrize("floats", [False, True])
def test_pairs_are_listed_as_they_are_counted(floats):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (700, 3, 3), dtype=np.uint8)
    others = rng.integers(0, 256, (90, 3, 3), dtype=np.uint8)
    images[650], others[7] = images[3], images[600]
    if floats:
        images, others = (x.astype("f4") / 256 + np.float32(0.001) for x in (images, others))
        images[3] += np.float32(0.003)
    unit = 1 if floats else 255
    threshold = 0.15

    def by_hand(x, y):
        x, y = x.astype(float) / unit, y.astype(float) / unit
        return np.sqrt(((x[:, None] - y[None]) ** 2).mean((2, 3)))

    own, between = by_hand(images, images), by_hand(others, images)
    nearest = (own + 9 * np.eye(700)).min(axis=1)
    for candidates in (nearest <= threshold, np.ones(700, bool)):
        first, second, rmsd = list_close_pairs(images, candidates, threshold)
        wanted = {(i, j) for i, j in np.argwhere(own <= threshold) if i < j}
        assert len(wanted) > 10
        assert set(zip(first.tolist(), second.tolist(), strict=True)) == wanted
        np.testing.assert_allclose(rmsd, own[first, second], rtol=1e-12)
    shares = []
    pairs = list_close_pairs(others, np.ones(90, bool), threshold, images, progress=shares.append)
    assert shares[-1] == 1
    places = set(zip(*(x.tolist() for x in pairs[:2]), strict=True))
    assert places == set(map(tuple, np.argwhere(between <= threshold)))
    within, across = count_close_pairs(
        images, np.zeros(700, int), nearest <= threshold, [threshold]
    )
    assert (within[0], across[0]) == (len(wanted), 0)


def test_copies_are_listed_at_a_threshold_of_zero():
    images = np.random.default_rng(0).normal(size=(40, 7)).astype("f4")
    images[[9, 30]] = images[2]
    first, second, rmsd = list_close_pairs(images, np.ones(40, bool), 0)
    assert [first.tolist(), second.tolist()] == [[2, 2, 9], [9, 30, 30]]
    assert not rmsd.any()
    assert not len(list_close_pairs(images, np.zeros(40, bool), 1)[0])
