"""Open pairs: the gains of facility location, kept exact by what each choice touches."""

import numpy as np
import pytest

from lcrjax import native
from lcrjax.pairwise.columns import Columns
from lcrjax.selection import select
from lcrjax.selection.objectives import facility_location
from lcrjax.selection.open_pairs import OpenPairs, count_open
from lcrjax.similarity import RMSD


@pytest.mark.parametrize("kernels", [True, False])
def test_gains_stay_those_of_the_definition(kernels, rng):
    images = rng.integers(0, 256, (90, 4, 4), np.uint8)
    target = rng.random(90)
    with native.disabled() if not kernels else native._disabled(False):
        pool = Columns(RMSD(10), images)
        z = pool.columns(np.arange(90)).astype(float)
        covered = pool.column(4).copy()
        pairs = OpenPairs(pool, covered, target)
        exact = (z > covered).sum()
        assert count_open(pool, covered) == pytest.approx(exact, rel=0.3)
        for chosen in (7, 50, 51, 7, 89, 0):
            pairs.cover(covered, pool.column(chosen))
            np.testing.assert_array_less(z[chosen] - 1e-6, covered)
            wanted = np.maximum(z - covered, 0) @ target
            np.testing.assert_allclose(pairs.gains, wanted, rtol=1e-6, atol=1e-7)
    assert len(pairs._z) < exact  # some were closed and forgotten


def test_the_same_choice_with_pairs_and_lazily(rng, monkeypatch):
    """But for ties: what is worth the same to seven digits may come in another order."""
    images = (rng.integers(0, 256, (120, 5, 5)) * rng.random((120, 1, 1))).astype(np.uint8)
    z = Columns(RMSD(10), images).columns(np.arange(120)).astype(float)
    found = []
    for most in (0, 1e9, 2_000):
        monkeypatch.setattr(facility_location, "MOST_PAIRS", most)
        found.append(select(images, 30, similarity="rmsd:10", objective="facility-location"))
    for one in found:
        so_far = np.maximum.accumulate(z[one.indices], axis=0).mean(axis=1)
        np.testing.assert_allclose(one.values, so_far, rtol=1e-5)
        np.testing.assert_allclose(one.values, found[0].values, rtol=1e-4)
        np.testing.assert_array_equal(one.indices[:10], found[0].indices[:10])
