import numpy as np
import pytest
from scipy.spatial.distance import cdist

import lcrjax
from lcrjax.study.measuring.inside import magnitude, mmd, vendi_2


def test_vendi_score_of_order_2(rng):
    x = rng.integers(0, 256, (9, 3, 3), np.uint8)
    z = np.exp(-cdist(*[x.reshape(9, -1) / 255] * 2) / 3)
    assert vendi_2(z) == pytest.approx(float(lcrjax.vendi_score(x, lcrjax.RMSD(), 2)), rel=1e-5)


def test_magnitude_of_two_points_is_known():
    """Leinster (2013), example 2.1.1: 1 + tanh(d / 2)."""
    for d in (0.1, 1.0, 7.0):
        z = np.exp(-np.array([[0, d], [d, 0]]))
        assert magnitude(z) == pytest.approx(1 + np.tanh(d / 2))


def test_copies_count_once_in_magnitude(rng):
    x = rng.random((5, 2))
    z = np.exp(-cdist(x, x))
    places = [0, 1, 2, 3, 4, 2, 2]
    assert magnitude(z[places][:, places]) == pytest.approx(magnitude(z))


def test_mmd_is_the_distance_of_means_in_feature_space(rng):
    x, y = rng.random((6, 3)), rng.random((4, 3)) + 1
    found = mmd((x @ x.T).mean(), (x @ y.T).mean(), (y @ y.T).mean())
    assert found == pytest.approx(np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)))
    assert mmd(1.0, 1.0 + 1e-17, 1.0) == 0
