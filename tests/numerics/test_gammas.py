import math

import mpmath as mp
import numpy as np
import pytest

from lcrjax.numerics.gammas import log_choose_ratio, log_gamma_rate


@pytest.mark.parametrize("z", [0.3, 1.0, 2.0, 17.5, 1e3, 1e6, 1e9])
@pytest.mark.parametrize("k", [-3.5, -1e-9, 0.0, 1e-12, 0.25, 0.999])
def test_rate_of_log_gamma(z, k):
    if k >= z:
        pytest.skip("no such gamma function")
    with mp.workdps(60):
        right = (mp.loggamma(z) - mp.loggamma(mp.mpf(z) - mp.mpf(k))) / k if k else mp.digamma(z)
    found = float(log_gamma_rate(np.array([z]), k)[0])
    assert found == pytest.approx(float(right), rel=1e-14, abs=2e-15)


def test_large_steps():
    z, k = np.array([1e4, 1e8, 300.0]), np.array([9000.0, 3.0, 299.5])
    with mp.workdps(60):
        right = [
            float((mp.loggamma(a) - mp.loggamma(a - b)) / b) for a, b in zip(z, k, strict=True)
        ]
    np.testing.assert_allclose(log_gamma_rate(z, k), right, rtol=1e-14)


def test_ratio_of_binomials():
    a = np.array([[0, 3, 10, 40]])
    for m in (0, 1, 3, 12, 40):
        found = np.exp(log_choose_ratio(a, 40.0, np.array([[m]])))
        right = [math.comb(int(x), m) / math.comb(40, m) for x in a[0]]
        np.testing.assert_allclose(found[0], right, rtol=1e-13, atol=0)
    n, x, m = 10**8, 1000, 10**6  # where logs of factorials are 1e9 and their difference 10
    with mp.workdps(60):
        right = mp.log(mp.binomial(n - x, m) / mp.binomial(n, m))
    found = log_choose_ratio(np.array([n - x]), float(n), np.array([m]))
    assert float(found[0]) == pytest.approx(float(right), rel=1e-12)
