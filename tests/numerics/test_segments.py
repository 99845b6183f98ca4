import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lcrjax.numerics.segments import LogMeans, Segments
from tests.reference import exact_power_mean

LENGTHS = np.array([1, 7, 3, 13])
N = int(LENGTHS.sum())
ENDS = np.cumsum(LENGTHS)
SMALL = (1e-12, 1e-7, 0.003, 0.3, 1.0)
ORDERS = (0.0, *SMALL, *(-r for r in SMALL), 2.0, 1e4, -1e4, np.inf, -np.inf)


def decades(low, high, shape=N):
    """Numbers spread evenly over decades."""
    return hnp.arrays(np.float64, shape, elements=st.floats(low, high)).map(lambda e: 10.0**e)


def check(weights, items):
    means = LogMeans(weights, np.log(items), Segments(LENGTHS))
    for order in ORDERS:
        found = np.exp(means.at(order))
        for row, values in zip(found, items, strict=True):
            wanted = [
                float(exact_power_mean(order, weights[end - n : end], values[end - n : end]))
                for n, end in zip(LENGTHS, ENDS, strict=True)
            ]
            np.testing.assert_allclose(row, wanted, rtol=3e-13, err_msg=str(order))


@given(weights=decades(-30, 0), items=decades(-30, 30, (2, N)))
@settings(max_examples=10)
def test_equal_mpmath_over_thirty_decades_of_weights_and_sixty_of_items(weights, items):
    check(weights, items)


@given(
    weights=decades(-2, 0),
    spread=st.floats(-9, 0.5),
    noise=hnp.arrays(np.float64, (2, N), elements=st.floats(-1, 1)),
)
@settings(max_examples=10)
def test_equal_mpmath_for_items_that_lie_close_together(weights, spread, noise):
    check(weights, 5 * np.exp(10.0**spread * noise))


@pytest.mark.parametrize("order", ORDERS)
def test_zero_and_infinite_items_take_over_on_their_side_of_order_zero(order, rng):
    """In segments of their own: nothing else, a zero, an infinity, and both."""
    items = rng.lognormal(size=(1, N))
    items[0, 0] = 0
    items[0, 2] = 0
    items[0, 9] = np.inf
    items[0, 12], items[0, 14] = 0, np.inf
    with np.errstate(divide="ignore"):
        found = np.exp(LogMeans(rng.random(N), np.log(items), Segments(LENGTHS)).at(order))[0]
    finite = np.isfinite(found) & (found > 0)
    assert found[0] == 0
    assert finite[1] if order > 0 else found[1] == 0
    assert finite[2] if order < 0 else found[2] == np.inf
    if order:
        assert found[3] == (np.inf if order > 0 else 0)
    else:
        assert np.isnan(found[3])


@pytest.mark.parametrize("order", [1.0, -2.0, 0.0])
def test_a_zero_keeps_its_weight(order, rng):
    weights, items = rng.random(N), rng.lognormal(size=(1, N))
    items[0, 2:4] = 0 if order >= 0 else np.inf
    with np.errstate(divide="ignore"):
        found = np.exp(LogMeans(weights, np.log(items), Segments(LENGTHS)).at(order))[0, 1]
    wanted = exact_power_mean(order, weights[1:8], items[0, 1:8])
    np.testing.assert_allclose(found, float(wanted), rtol=1e-13)


def test_nan_spreads_in_its_segment_alone(rng):
    items = rng.lognormal(size=(1, N))
    items[0, 4] = np.nan
    means = LogMeans(rng.random(N), np.log(items), Segments(LENGTHS))
    for order in ORDERS:
        np.testing.assert_array_equal(np.isnan(means.at(order)), [[False, True, False, False]])


def test_reductions(rng):
    segments, x = Segments(LENGTHS), rng.normal(size=(3, N))
    parts = np.split(x, ENDS[:-1], axis=1)
    for found, reduce in ((segments.sum, np.sum), (segments.largest, np.max),
                          (segments.least, np.min)):  # fmt: skip
        wanted = np.stack([reduce(part, axis=1) for part in parts], axis=1)
        np.testing.assert_allclose(found(x), wanted, rtol=1e-14, atol=1e-15)
    spread = segments.spread(np.arange(4.0))
    np.testing.assert_array_equal(spread, np.repeat(np.arange(4.0), LENGTHS))


def test_long_segments_lose_nothing():
    weights = np.full(2_000_000, 0.1)
    mass = Segments(np.array([1, 1_999_999])).sum(weights)[1]
    np.testing.assert_allclose(mass, 199_999.9, rtol=2e-15)
