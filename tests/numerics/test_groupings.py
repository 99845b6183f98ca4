from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lcrjax.numerics import groupings
from lcrjax.numerics.groupings import Classes, Runs, Segments
from lcrjax.numerics.power_means import log_power_means
from tests.reference import exact_power_mean

LENGTHS = np.array([1, 7, 3, 13])
N = int(LENGTHS.sum())
ENDS = np.cumsum(LENGTHS)
LABELS = np.repeat(np.arange(4), LENGTHS)
SHUFFLE = np.random.default_rng(0).permutation(N)
ORDERS = np.array([0, 1e-12, 1e-7, 0.3, 1, -1, 2, 1e4, -1e4, np.inf, -np.inf])
traced = jax.jit(lambda *given: log_power_means(*given, Classes(jnp.asarray(LABELS[SHUFFLE]), 4)))


def means_at_hand(orders, weights, items):
    with np.errstate(divide="ignore"):
        return np.exp(log_power_means(orders, weights, np.log(items), Segments(LENGTHS)))


def means_in_parts(orders, weights, items):
    """A few members at a time, as of datasets of many."""
    with mock.patch.object(groupings, "_AT_ONCE", 5):
        return means_at_hand(orders, weights, items)


def means_traced(orders, weights, items):
    """Of the same groups, whose members lie in any order."""
    with jax.enable_x64(True), np.errstate(divide="ignore"):
        logs = np.log(items[:, SHUFFLE])
        return np.exp(traced(*map(jnp.asarray, (orders, weights[SHUFFLE], logs))))


MEANS = pytest.mark.parametrize("means", [means_at_hand, means_in_parts, means_traced])


@MEANS
@given(
    weights=hnp.arrays(np.float64, N, elements=st.floats(-30, 0)),
    items=hnp.arrays(np.float64, (2, N), elements=st.floats(-30, 30)),
)
@settings(max_examples=5)
def test_means_of_groups_equal_mpmath(means, weights, items):
    weights, items = 10.0**weights, 10.0**items
    found = means(ORDERS, weights, items)
    for i, order in enumerate(ORDERS):
        for row, values in zip(found[:, i], items, strict=True):
            wanted = [
                float(exact_power_mean(order, weights[end - n : end], values[end - n : end]))
                for n, end in zip(LENGTHS, ENDS, strict=True)
            ]
            np.testing.assert_allclose(row, wanted, rtol=1e-12, err_msg=str(order))


@MEANS
@pytest.mark.parametrize("order", ORDERS)
def test_zero_and_infinite_items_take_over_on_their_side_of_order_zero(order, means, rng):
    """In groups of their own: nothing else, a zero, an infinity, and both."""
    items = rng.lognormal(size=(1, N))
    items[0, 0] = 0
    items[0, 2] = 0
    items[0, 9] = np.inf
    items[0, 12], items[0, 14] = 0, np.inf
    found = means(np.array([order]), rng.random(N), items)[0, 0]
    assert found[0] == 0
    # Of an order barely above zero, a zero makes nearly one and an infinity nearly the other.
    assert 0 <= found[1] < np.inf if order > 0 else found[1] == 0
    assert found[2] > 0 if order < 0 else found[2] == np.inf
    if order:
        assert found[3] == (np.inf if order > 0 else 0)
    else:
        assert np.isnan(found[3])


@MEANS
@pytest.mark.parametrize("order", [1.0, -2.0, 0.0])
def test_a_zero_keeps_its_weight(order, means, rng):
    weights, items = rng.random(N), rng.lognormal(size=(1, N))
    items[0, 2:4] = 0 if order >= 0 else np.inf
    found = means(np.array([order]), weights, items)[0, 0, 1]
    wanted = exact_power_mean(order, weights[1:8], items[0, 1:8])
    np.testing.assert_allclose(found, float(wanted), rtol=1e-13)


@MEANS
def test_nan_and_lack_of_weight_stay_in_their_groups(means, rng):
    items, weights = rng.lognormal(size=(1, N)), rng.random(N)
    items[0, 4] = np.nan
    weights[8:11] = 0
    found = means(ORDERS, weights, items)[0]
    np.testing.assert_array_equal(np.isnan(found), [[False, True, True, False]] * len(ORDERS))


def test_logs_may_differ_by_order(rng):
    weights, logs = rng.random(N), rng.normal(size=(2, len(ORDERS), N))
    found = log_power_means(ORDERS, weights, logs, Segments(LENGTHS))
    for i in range(len(ORDERS)):
        alone = log_power_means(ORDERS[i : i + 1], weights, logs[:, i], Segments(LENGTHS))
        np.testing.assert_array_equal(found[:, i], alone[:, 0])
    with jax.enable_x64(True):
        given = map(jnp.asarray, (ORDERS, weights[SHUFFLE], logs[..., SHUFFLE]))
        np.testing.assert_allclose(traced(*given), found, rtol=1e-12, atol=1e-13)


GROUPINGS = {
    "segments": (Segments(LENGTHS), np.asarray, LABELS),
    "classes": (Classes(jnp.asarray(LABELS[SHUFFLE]), 5), jnp.asarray, LABELS[SHUFFLE]),
    "runs": (Runs(4, N // 4), np.asarray, np.repeat(np.arange(4), N // 4)),
    "traced runs": (Runs(4, N // 4), jnp.asarray, np.repeat(np.arange(4), N // 4)),
}


@pytest.mark.parametrize("kind", GROUPINGS)
def test_reductions(kind, rng):
    groups, array, labels = GROUPINGS[kind]
    count = 5 if kind == "classes" else 4  # the fifth class is empty
    for shape in ((N,), (3, N), (2, 3, N)):
        x = rng.normal(size=shape).astype("f4")
        for found, reduce, empty in (
            (groups.sum, np.sum, 0),
            (groups.largest, np.max, -np.inf),
            (groups.least, np.min, np.inf),
        ):
            parts = [x[..., labels == g] for g in range(count)]
            wanted = [reduce(p, axis=-1) if p.size else np.full(shape[:-1], empty) for p in parts]
            np.testing.assert_allclose(found(array(x)), np.stack(wanted, -1), rtol=2e-6, atol=2e-6)
        numbers = np.broadcast_to(np.arange(count), (*shape[:-1], count))
        spread = groups.spread(array(numbers))
        np.testing.assert_array_equal(spread, np.broadcast_to(labels, shape))


def test_long_segments_lose_nothing():
    weights = np.full(2_000_000, 0.1)
    mass = Segments(np.array([1, 1_999_999])).sum(weights)[1]
    np.testing.assert_allclose(mass, 199_999.9, rtol=2e-15)
