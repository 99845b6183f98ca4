import itertools
import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from lcrjax.measures.samples import Sample

#: Spiders under girdled and logged trees (Ellison et al. 2010), as printed with iNEXT.
GIRDLED = np.array([46, 22, 17, 15, 15, 9, 8, 6, 6, 4, 2, 2, 2, 2, *[1] * 12])
LOGGED = np.array([88, 22, 16, 15, 13, 10, 8, 8, 7, 7, 7, 5, 4, 4, 4, 3, 3, 3, 3, 2, 2, 2, 2,
                   *[1] * 14])  # fmt: skip
ORDERS = np.array([0, 0.5, 1 - 1e-7, 1, 1 + 1e-7, 1.5, 2, 2.5, 3, 6.3])


def source_by_series(counts, q):
    """Chao & Jost (2015), equations 7 and 8, as they stand."""
    x, q = [int(v) for v in counts], mp.mpf(q)
    n, f1, f2 = sum(x), x.count(1), x.count(2)
    a = mp.mpf(2 * f2) / ((n - 1) * f1 + 2 * f2) if f2 else mp.mpf(2) / ((n - 1) * (f1 - 1) + 2)
    if q == 1:
        h = sum(mp.mpf(v) / n * sum(mp.mpf(1) / k for k in range(v, n)) for v in x)
        if f1 and a < 1:
            rest = -mp.log(a) - sum((1 - a) ** r / r for r in range(1, n))
            h += mp.mpf(f1) / n * (1 - a) ** (1 - n) * rest
        return mp.exp(h)
    total = mp.mpf(0)
    for k in range(n):
        delta = sum(mp.mpf(v) / n * mp.binomial(n - v, k) / mp.binomial(n - 1, k)
                    for v in x if v <= n - k)  # fmt: skip
        total += mp.binomial(q - 1, k) * (-1) ** k * delta
    if f1 and a < 1:
        rest = a ** (q - 1) - sum(mp.binomial(q - 1, r) * (a - 1) ** r for r in range(n))
        total += mp.mpf(f1) / n * (1 - a) ** (1 - n) * rest
    return total ** (1 / (1 - q)) if total > 1e-30 else mp.inf


@pytest.mark.parametrize(
    ("counts", "richness", "shannon", "simpson"),
    [
        (GIRDLED, (26, 43.893), (12.060, 13.826), (7.840, 8.175)),
        (LOGGED, (37, 61.403), (14.421, 16.337), (6.761, 6.920)),
    ],
)
def test_published_estimates(counts, richness, shannon, simpson):
    sample = Sample(counts)
    own = sample.hill(sample.size, np.array([0, 1, 2]))
    source = [sample.source_hill(q) for q in (0, 1, 2)]
    np.testing.assert_allclose(own, [x[0] for x in (richness, shannon, simpson)], atol=5e-4)
    np.testing.assert_allclose(source, [x[1] for x in (richness, shannon, simpson)], atol=5e-4)


@pytest.mark.parametrize("counts", [GIRDLED[8:], [5, 3, 1], [4, 4, 2], [9, 1, 1, 1], [1, 1, 1, 2]])
@pytest.mark.parametrize("q", ORDERS)
def test_source_is_the_series(counts, q):
    with mp.workdps(60):
        right = source_by_series(counts, q)
    assert Sample(np.array(counts)).source_hill(q) == pytest.approx(float(right), rel=1e-10)


def test_source_of_a_sample_that_cannot_say():
    assert Sample(np.ones(5, int)).source_hill(2) == np.inf  # no two alike
    assert Sample(np.array([2, 1])).source_hill(30.0) == np.inf  # more than n draws alike
    assert Sample(np.array([4, 3, 1])).source_hill(0) == pytest.approx(
        3
    )  # one singleton and no doubleton


@pytest.mark.parametrize("m", [1, 2, 5, 7])
def test_smaller_samples_are_means_over_all_subsets(m):
    counts = np.array([4, 2, 1, 1])
    individuals = np.repeat(range(4), counts)
    shares = np.array([np.bincount(individuals[list(chosen)], minlength=4) / m
                       for chosen in itertools.combinations(range(8), m)])  # fmt: skip
    found = Sample(counts).hill(m, ORDERS)
    for q, value in zip(ORDERS, found, strict=True):
        logs = np.log(np.where(shares > 0, shares, 1))
        if q == 1:
            right = np.exp(-np.sum(shares * logs, axis=1).mean())
        else:
            powers = np.where(shares > 0, np.exp(q * logs), 0)
            right = powers.sum(axis=1).mean() ** (1 / (1 - q))
        rounding = 1e-8 if 0 < abs(q - 1) < 1e-3 else 1e-12  # of the reference
        assert value == pytest.approx(right, rel=rounding), q


def test_sizes_between_whole_ones_lie_on_the_line_between_these():
    sample = Sample(GIRDLED)
    low, high, between = (sample.hill(m, np.arange(3)) for m in (40, 41, 40.25))
    np.testing.assert_allclose(between, 0.75 * low + 0.25 * high)


def test_coverage_of_smaller_samples():
    """The chance that a draw more is of an element seen already, over all orders of drawing."""
    n = int(LOGGED.sum())
    for m in (1, 20, 100, 251):
        right = 1 - sum(
            Fraction(int(x), n) * Fraction(math.comb(n - int(x), m), math.comb(n - 1, m))
            for x in LOGGED
        )
        assert Sample(LOGGED).coverage(m) == pytest.approx(float(right), rel=1e-12)


def test_coverage_of_the_sample_and_larger_ones():
    sample = Sample(GIRDLED)
    n, f1, f2 = 168, 12, 4
    step = (n - 1) * f1 / ((n - 1) * f1 + 2 * f2)
    for more in (0, 1, 168):
        assert sample.coverage(n + more) == pytest.approx(1 - f1 / n * step ** (more + 1))
    assert Sample(np.array([5, 2])).coverage(7) == 1
    assert Sample(np.array([5, 1])).coverage(6) == 1
    low, high = sample.coverage(40), sample.coverage(41)
    assert sample.coverage(40.25) == pytest.approx(0.75 * low + 0.25 * high)


@pytest.mark.parametrize("counts", [GIRDLED, LOGGED, [3, 1, 1], [7, 2], [1000, 3, 1, 1, 1, 2]])
def test_sizes_have_the_coverage_that_was_asked_for(counts):
    sample = Sample(np.array(counts))
    for coverage in np.linspace(0.05, 0.999, 23):
        size = sample.size_of(coverage)
        if np.isfinite(size) and not (size == sample.size and sample.once == 0):
            assert sample.coverage(size) == pytest.approx(coverage, abs=1e-12)
    sizes = [sample.size_of(c) for c in np.linspace(0.01, 0.99, 50)]
    assert np.all(np.diff(sizes) >= 0)
    assert sample.size_of(1) == (np.inf if sample.once else sample.size)


def test_larger_samples():
    sample, n = Sample(GIRDLED), 168
    f0 = sample.source_hill(0) - 26
    for more in (1, 50, 168):
        richness = 26 + f0 * (1 - (1 - 12 / (n * f0 + 12)) ** more)  # Chao et al. (2014), eq. 9
        pairs = np.sum(GIRDLED * (GIRDLED - 1)) / (n * (n - 1))
        simpson = 1 / (1 / (n + more) + (1 - 1 / (n + more)) * pairs)
        found = sample.hill(n + more, np.array([0, 2]))
        np.testing.assert_allclose(found, [richness, simpson], rtol=1e-12)


@pytest.mark.parametrize("q", [0, 0.5, 1, 1.5, 2, 3])
def test_curves_are_continuous_and_reach_the_source(q):
    sample = Sample(LOGGED)
    around = [float(sample.hill(m, np.array([q]))[0]) for m in (251, 252, 253, 1e9)]
    slopes = np.diff(around[:3])
    assert slopes[0] > 0
    assert 0.98 < slopes[1] / slopes[0] < 1
    assert around[3] == pytest.approx(sample.source_hill(q), rel=1e-6)


def test_many_individuals(rng):
    counts = rng.negative_binomial(0.2, 1e-4, 400)
    sample = Sample(counts)
    n, x, m = sample.size, counts[counts > 0].astype(float), sample.size // 3
    simpson = 1 / (1 / m + (1 - 1 / m) * np.sum(x * (x - 1)) / (n * (n - 1.0)))
    with mp.workdps(30):
        richness = sum(1 - mp.binomial(n - int(v), m) / mp.binomial(n, m) for v in x[x < 60])
    richness = float(richness) + np.sum(x >= 60) - np.sum((2 / 3) ** x[x >= 60])
    found = sample.hill(m, np.array([0, 2]))
    np.testing.assert_allclose(found, [richness, simpson], rtol=1e-10)


def test_community_to_draw_from():
    sample = Sample(GIRDLED)
    p = sample.community(GIRDLED)
    assert len(p) == 26 + 18  # 17.9 unseen
    assert p.sum() == pytest.approx(1)
    assert p[:26].sum() == pytest.approx(sample.coverage(168))
    assert np.all(np.diff(p[:26]) <= 0)
    np.testing.assert_allclose(p[26:], (1 - sample.coverage(168)) / 18)
    single = Sample(np.array([7]))
    np.testing.assert_array_equal(single.community(np.array([7])), [1])
