import numpy as np
import pytest

from lcrjax import native
from lcrjax.native.calls import MOST_PIXELS, subset_sums

pytestmark = pytest.mark.skipif(not native.available(), reason="there are no compiled kernels")


def wanted(images, subsets, classes, factor):
    """The definition, in NumPy's doubles."""
    own, everyone = np.empty(subsets.shape), np.empty(subsets.shape)
    for i, rows in enumerate(subsets):
        x = images[rows].astype(float)
        z = np.exp(-factor * np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=-1)))
        own[i] = (z * (classes[i][:, None] == classes[i])).sum(axis=1)
        everyone[i] = z.sum(axis=1)
    return own, everyone


def example(rng, n, d, high=256):
    images = rng.integers(0, high, (80, d), np.uint8)
    subsets = np.stack([rng.permutation(80)[:n] for _ in range(3)])
    return images, subsets, rng.integers(0, 4, 80)[subsets]


@pytest.mark.parametrize("n", [1, 2, 4, 15, 16, 17, 33, 80])
@pytest.mark.parametrize("d", [1, 7, 63, 64, 65, 300])
def test_equals_the_definition(n, d, rng):
    given = example(rng, n, d)
    for factor in (1 / (255 * np.sqrt(d)), 20 / (255 * np.sqrt(d)), 0.0):
        found = subset_sums(*given, factor)
        for one, other in zip(found, wanted(*given, factor), strict=True):
            np.testing.assert_allclose(one, other, rtol=5e-7)


def test_extreme_pixels_and_the_largest_images(rng):
    images = np.zeros((3, MOST_PIXELS), np.uint8)
    images[1], images[2, ::2] = 255, 255
    given = images, np.array([[0, 1, 2], [1, 1, 0]]), np.array([[0, 0, 1], [2, 2, 3]])
    factor = 1 / (255 * np.sqrt(MOST_PIXELS))
    for one, other in zip(subset_sums(*given, factor), wanted(*given, factor), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-7)


def test_more_columns_than_are_kept_at_a_time(rng):
    """Large images are taken sixteen columns at a time, small ones thousands."""
    images = rng.integers(0, 256, (40, 30_000), np.uint8)
    given = images, rng.permutation(40)[None], rng.integers(0, 3, (1, 40))
    factor = 1 / (255 * np.sqrt(30_000))
    x = images[given[1][0]].astype(float)
    squares = (x**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0))
    z = np.exp(-factor * distances)
    own, everyone = subset_sums(*given, factor)
    np.testing.assert_allclose(everyone[0], z.sum(axis=1), rtol=2e-7)
    same = given[2][0][:, None] == given[2][0]
    np.testing.assert_allclose(own[0], (z * same).sum(axis=1), rtol=2e-7)


def test_identical_images_are_entirely_similar(rng):
    images = np.tile(rng.integers(0, 256, (1, 70), np.uint8), (80, 1))
    _, subsets, classes = example(rng, 40, 70)
    own, everyone = subset_sums(images, subsets, classes, 1.0)
    np.testing.assert_array_equal(everyone, 40)
    np.testing.assert_array_equal(own, (classes[:, :, None] == classes[:, None]).sum(-1))


def test_far_images_share_nothing(rng):
    own, everyone = subset_sums(*example(rng, 17, 64), 1e6)
    np.testing.assert_array_equal(everyone, 1)
    np.testing.assert_array_equal(own, 1)


def test_the_number_of_threads_changes_no_bit(rng):
    images, subsets, classes = example(rng, 30, 100)
    many = [np.tile(x, (7, 1)) for x in (subsets, classes)]
    found = subset_sums(images, *many, 0.002)
    for threads in (1, 3, 50):
        np.testing.assert_array_equal(subset_sums(images, *many, 0.002, threads), found)


def test_arrays_of_any_layout(rng):
    images, subsets, classes = example(rng, 20, 60)
    found = subset_sums(images, subsets, classes, 0.002)
    other = subset_sums(np.asfortranarray(images), subsets.astype("u2"), classes.T.copy().T, 0.002)
    np.testing.assert_array_equal(found, other)
