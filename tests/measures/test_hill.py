import jax
import numpy as np
import pytest

import lcrjax
from tests import reference

S = 12


@pytest.mark.parametrize("q", [0, 0.5, 1, 1 + 1e-7, 2, 1e4, np.inf])
def test_hill_numbers_equal_mpmath_traced_or_not(q, rng):
    p = np.append(10 ** rng.uniform(-30, 0, S - 1), 0).astype("f4")
    share = [float(x) / float(np.sum(p, dtype=float)) for x in p]
    items = [1 / x if x else 1 for x in share]
    wanted = float(reference.exact_power_mean(1 - float(np.float32(q)), share, items))
    np.testing.assert_allclose(lcrjax.hill_number(p, q), wanted, rtol=2e-7)
    with jax.enable_x64(True):
        traced = traced_hill_number(p.astype(float), np.float64(np.float32(q)))
        np.testing.assert_allclose(traced, wanted, rtol=1e-12)
    moderate = np.maximum(p, 1e-6)  # what float32 is for where nothing is at hand
    found = traced_hill_number(moderate, np.float32(q))
    np.testing.assert_allclose(found, lcrjax.hill_number(moderate, q), rtol=3e-6)


traced_hill_number = jax.jit(lcrjax.hill_number)


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        (np.zeros(3), 1, "all abundances are zero"),
        ([1, -0.5, 1], 1, "abundance of element 1 is -0.5"),
        ([1, np.nan, 1], 1, "abundance of element 1 is nan"),
        ([1, 1, np.inf], 1, "abundance of element 2 is inf"),
        (np.ones((2, 2)), 1, r"p has shape \(2, 2\)"),
        (np.ones(3), [1, 2], "q has shape"),
        (np.ones(3), -1, "q holds -1"),
        (np.ones(3), np.nan, "q holds nan"),
        (np.ones(3), 1j, "viewpoints have dtype complex128"),
    ],
)
def test_bad_hill_numbers(p, q, message):
    with pytest.raises(ValueError, match=message):
        lcrjax.hill_number(p, q)


@pytest.mark.parametrize(
    ("p", "q", "value"),
    [
        (np.array([6_000_000_000, 1_000_000_000]), 2, 49 / 37),
        (np.array([2**63, 2**62], np.uint64), 2, 9 / 5),
        ([1e-50, 1e-50, 2e-50], 1, 8**0.5),
        ([1.5e308, 1.5e308], 2, 2),
        ([1e300, 0.0], 0, 1),
    ],
)
def test_abundances_of_any_magnitude(p, q, value):
    np.testing.assert_allclose(lcrjax.hill_number(p, q), value, rtol=1e-7)
