"""The remark on a similarity that finds nearly all elements alike."""

import numpy as np
import pytest

import lcrjax
from lcrjax.measures.flatness import flat_remark


@pytest.fixture(scope="module")
def cloud():
    x = np.random.default_rng(0).random((60, 4)).astype("f4")
    return x, np.resize([0, 1], 60)


def measured(cloud, scale, q=(0, 1)):
    return lcrjax.measure(*cloud, similarity=lcrjax.Laplacian(scale), q=q)


def test_flat_similarities_are_told_with_what_to_do(cloud):
    found = measured(cloud, 5.0)
    said = flat_remark(found, 60, "images")
    effective = float(found.dataset_level["gamma"][0])
    assert 1 < effective < 2
    assert f"60 count as {effective:.2f} different ones (G at q = 0)" in said
    assert said.endswith("laplacian:0.5median tells them apart.")
    assert "laplacian" not in flat_remark(found, 60, "texts")


def test_the_advice_works(cloud):
    found = lcrjax.measure(*cloud, similarity="laplacian:0.5median", q=0)
    assert flat_remark(found, 60, "vectors") is None


def test_few_elements_say_nothing(cloud):
    found = measured(cloud, 5.0)
    assert flat_remark(found, 49, "images") is None
    assert flat_remark(found, 50, "images") is not None


def test_the_smallest_viewpoint_decides(cloud):
    x, y = cloud
    copies = np.where(np.arange(60)[:, None] < 40, 0, 9 * x)  # G is below 2 at q = inf alone
    found = measured((copies, y), 0.6, q=(np.inf, 0))
    at_inf, at_zero = map(float, found.dataset_level["gamma"])
    assert at_inf < 2 < at_zero
    assert flat_remark(found, 60, "images") is None
