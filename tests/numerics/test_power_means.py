import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lcrjax
from lcrjax.numerics.power_means import _power_mean
from tests.reference import exact_power_mean

N = 24  # every test averages so many items, so that a dtype compiles once
SMALL = (1e-12, 1e-7, 0.003, 0.3, 1.0)
ORDERS = (0.0, *SMALL, *(-r for r in SMALL), 2.0, 1e4, -1e4, np.inf, -np.inf)
CLOSE = {"float32": 1e-6, "float64": 1e-12}


def decades(low, high):
    """Arrays of N numbers spread evenly over decades."""
    exponents = hnp.arrays(np.float64, N, elements=st.floats(low, high, width=32))
    return exponents.map(lambda e: 10.0**e)


def check(order, weights, items, dtype):
    """Compare with mpmath, on the numbers as the dtype holds them."""
    order, weights, items = (np.asarray(x, dtype) for x in (order, weights, items))
    found = np.asarray(lcrjax.power_mean(order, weights, items))
    assert found.dtype == dtype
    wanted = exact_power_mean(float(order), weights.tolist(), items.tolist())
    limits = np.finfo(dtype)
    if wanted > float(limits.max) or wanted < float(limits.tiny):
        assert found == (np.inf if wanted > 1 else 0)
    else:
        error = abs(mpmath.mpf(float(found)) / wanted - 1)
        assert error <= CLOSE[dtype], (float(order), float(error))


@given(weights=decades(-30, 0), items=decades(-30, 30), dropped=st.sets(st.integers(1, N - 1)))
@settings(max_examples=25)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_mpmath_over_thirty_decades_of_weights_and_sixty_of_items(
    dtype, weights, items, dropped
):
    weights[list(dropped)] = 0
    with jax.enable_x64(dtype == "float64"):
        for order in ORDERS:
            check(order, weights, items, dtype)


@given(
    weights=decades(-2, 0),
    spread=st.floats(-8, 0.5),
    where=st.floats(-3, 3),
    noise=hnp.arrays(np.float64, N, elements=st.floats(-1, 1, width=32)),
    order=st.sampled_from(ORDERS) | st.floats(-50, 50),
)
@settings(max_examples=60)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equals_mpmath_for_items_that_lie_close_together(
    dtype, weights, spread, where, noise, order
):
    with jax.enable_x64(dtype == "float64"):
        check(order, weights, 10.0**where * np.exp(10.0**spread * noise), dtype)


@pytest.mark.parametrize("order", ORDERS)
def test_zero_and_infinite_items_take_over_on_their_side_of_order_zero(order, rng):
    weights, items = rng.random(N), rng.lognormal(size=N)
    with_zero, with_infinity = items.copy(), items.copy()
    with_zero[3], with_infinity[5] = 0, np.inf
    check(order, weights, with_zero, "float32")
    check(order, weights, with_infinity, "float32")
    weights[3] = weights[5] = 0
    unaffected = lcrjax.power_mean(order, weights, items)
    assert lcrjax.power_mean(order, weights, with_zero) == unaffected
    assert lcrjax.power_mean(order, weights, with_infinity) == unaffected


@pytest.mark.parametrize("order", ORDERS)
def test_mean_of_nothing_but_zeros_or_infinities(order, rng):
    weights = rng.random(N)
    weights[2] = 0
    assert lcrjax.power_mean(order, weights, np.zeros(N)) == 0
    assert lcrjax.power_mean(order, weights, np.full(N, np.inf)) == np.inf


def test_zero_and_infinity_together_are_undefined_at_order_zero_alone(rng):
    items = rng.lognormal(size=N)
    items[0], items[1] = 0, np.inf
    found = [float(lcrjax.power_mean(r, np.ones(N), items)) for r in (-1, 0, 1)]
    assert found[0] == 0
    assert np.isnan(found[1])
    assert found[2] == np.inf


@pytest.mark.parametrize("order", [0, 1, -1e-7, 2, np.inf, -np.inf])
def test_nan_spreads_unless_it_has_no_weight(order, rng):
    weights, items = rng.random(N), rng.lognormal(size=N)
    spoilt = items.copy()
    spoilt[7] = np.nan
    assert np.isnan(lcrjax.power_mean(order, weights, spoilt))
    for bad in (np.nan, -1.0):
        broken = weights.copy()
        broken[7] = bad
        assert np.isnan(lcrjax.power_mean(order, broken, items))
    negative = items.copy()
    negative[7] = -1
    assert np.isnan(lcrjax.power_mean(order, weights, negative))
    weights[7] = 0
    assert lcrjax.power_mean(order, weights, spoilt) == lcrjax.power_mean(order, weights, items)
    assert np.isnan(lcrjax.power_mean(order, np.zeros(N), items))


def test_nan_order_gives_nan(rng):
    assert np.isnan(lcrjax.power_mean(np.nan, rng.random(N), rng.lognormal(size=N)))


def test_weights_need_not_sum_to_one(rng):
    weights, items = rng.random(N), rng.lognormal(size=N)
    for order in (0, 0.3, -2, np.inf):
        one, many = (lcrjax.power_mean(order, c * weights, items) for c in (1, 1024))
        np.testing.assert_allclose(one, many, rtol=3e-7)


@given(items=decades(-3, 3), weights=decades(-3, 0))
@settings(max_examples=25)
def test_rises_with_the_order_and_stays_between_the_extremes(items, weights):
    items = items.astype(np.float32)
    means = [lcrjax.power_mean(r, weights, items) for r in sorted(ORDERS)]
    rising = np.array([float(mean) for mean in means])
    assert np.all(rising[1:] >= rising[:-1] * (1 - 1e-6))
    assert rising[0] == items.min()
    assert rising[-1] == items.max()


def test_all_kinds_of_orders_share_one_compilation(rng):
    weights, items = rng.random(N), rng.lognormal(size=N)
    lcrjax.power_mean(0.5, weights, items)
    compiled = _power_mean._cache_size()
    orders = [1, 2.0, True, np.int64(3), np.float32(4), np.float64(5), jnp.asarray(6.0),
              jnp.asarray(7), np.inf, -np.inf, 0, 1e-12]  # fmt: skip
    for order in orders:
        lcrjax.power_mean(order, weights, items)
    assert _power_mean._cache_size() == compiled


def test_order_may_be_traced_and_mapped(rng):
    weights, items = rng.random(N).astype("f4"), rng.lognormal(size=N).astype("f4")
    orders = jnp.asarray(ORDERS, jnp.float32)
    swept = jax.jit(jax.vmap(lcrjax.power_mean, (0, None, None)))(orders, weights, items)
    alone = [lcrjax.power_mean(order, weights, items) for order in ORDERS]
    np.testing.assert_allclose(swept, alone, rtol=2e-7)


@pytest.mark.parametrize("axis", [0, -1])
def test_axis(axis, rng):
    weights, items = rng.random((N, N)), rng.lognormal(size=(N, N))
    found = lcrjax.power_mean(0.5, weights, items, axis)
    pairs = zip(np.moveaxis(weights, axis, 0).T, np.moveaxis(items, axis, 0).T, strict=True)
    wanted = [lcrjax.power_mean(0.5, w, x) for w, x in pairs]
    np.testing.assert_allclose(found, wanted, rtol=2e-7)


def test_many_items_lose_nothing():
    items = np.random.default_rng(1).lognormal(size=100_000).astype("f4")
    weights = np.random.default_rng(2).random(100_000).astype("f4")
    for order in (0.0, 1.0, -1e-7, 2.0):
        w, x = weights.astype(float), items.astype(float)
        r = np.float64(np.float32(order))
        log = np.log(x)
        mean = np.average(log, weights=w)
        spread = np.log1p(np.average(np.expm1(r * (log - mean)), weights=w)) / r if r else 0
        np.testing.assert_allclose(
            lcrjax.power_mean(order, weights, items), np.exp(mean + spread), rtol=1e-6
        )


def test_dtype_follows_the_inputs(x64, rng):
    single, double = rng.random(N).astype("f4"), rng.random(N)
    assert lcrjax.power_mean(2.0, single, single).dtype == jnp.float32
    assert lcrjax.power_mean(np.float64(2), single, single).dtype == jnp.float32
    assert lcrjax.power_mean(2.0, single, double).dtype == jnp.float64
    assert lcrjax.power_mean(2.0, [1, 2], [3, 4]).dtype.kind == "f"


slopes = jax.jit(jax.grad(lcrjax.power_mean, argnums=(0, 1, 2)))


def numbers(rng):
    """Moderate weights and items, one weight zero."""
    weights, items = rng.random(N) + 0.1, rng.lognormal(size=N)
    weights[2] = 0
    return weights, items


FINITE_ORDERS = (0.0, 1e-12, -1e-7, 0.003, 0.3, 1.0, -1.0, 2.0, -30.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_derivatives_equal_those_of_mpmath(dtype, rng):
    weights, items = (x.astype(dtype) for x in numbers(rng))
    with jax.enable_x64(dtype == "float64"):
        close = {"float32": 1e-5, "float64": 1e-11}[dtype]
        for order in FINITE_ORDERS:
            rounded = np.dtype(dtype).type(order)
            by_order, by_weight, by_item = map(np.asarray, slopes(rounded, weights, items))
            wanted = exact_slopes(float(rounded), weights.tolist(), items.tolist())
            np.testing.assert_allclose(by_order, wanted[0], rtol=close)
            scale = np.abs(wanted[1]).max()
            np.testing.assert_allclose(by_weight, wanted[1], rtol=close, atol=close * scale)
            np.testing.assert_allclose(by_item, wanted[2], rtol=close, atol=1e-36)
            assert by_weight[2] == by_item[2] == 0


def exact_slopes(order, weights, items):
    """Central differences in 60 digits; weights of zero are left out."""

    def slope(change):
        h = mpmath.mpf(10) ** -20
        return float((change(h) - change(-h)) / (2 * h))

    def changed(values, i, h):
        return [x + h if k == i else x for k, x in enumerate(values)]

    with mpmath.workdps(60):
        order = mpmath.mpf(order)
        weights, items = [mpmath.mpf(w) for w in weights], [mpmath.mpf(x) for x in items]
        used = [i for i, w in enumerate(weights) if w > 0]
        by_order = slope(lambda h: exact_power_mean(order + h, weights, items))
        by_weight, by_item = np.zeros(N), np.zeros(N)
        for i in used:
            by_weight[i] = slope(
                lambda h, i=i: exact_power_mean(order, changed(weights, i, h), items)
            )
            by_item[i] = slope(
                lambda h, i=i: exact_power_mean(order, weights, changed(items, i, h))
            )
        return by_order, by_weight, by_item


def test_derivative_by_the_order_at_zero_is_half_the_variance_of_logs(rng):
    weights, items = numbers(rng)
    share, log = weights / weights.sum(), np.log(items)
    variance = np.sum(share * log**2) - np.sum(share * log) ** 2
    mean = np.exp(np.sum(share * log))
    found = slopes(np.float32(0), weights.astype("f4"), items.astype("f4"))[0]
    np.testing.assert_allclose(found, mean * variance / 2, rtol=1e-5)


@pytest.mark.parametrize("order", [np.inf, -np.inf, 1e4, -1e4])
def test_derivatives_of_extremes_are_those_of_the_extreme_item(order, rng):
    weights, items = numbers(rng)
    items[5], items[6] = 100, 0.001
    found = slopes(np.float32(order), weights.astype("f4"), items.astype("f4"))
    assert all(np.isfinite(x).all() for x in found)
    assert np.argmax(found[2]) == (5 if order > 0 else 6)
    np.testing.assert_allclose(found[2].sum(), 1, atol=2e-3)


@pytest.mark.parametrize("order", [-1.0, 0.0, 0.3, 1.0, 2.0, np.inf, -np.inf])
def test_derivatives_stay_finite_with_zeros_among_weights_and_items(order, rng):
    weights, items = (x.astype("f4") for x in numbers(rng))
    items[2] = 0  # without weight
    equal = np.ones_like(items)
    for x in (items, equal):
        found = slopes(np.float32(order), weights, x)
        assert all(np.isfinite(part).all() for part in found)


def test_forward_and_reverse_derivatives_agree(rng):
    weights, items = (x.astype("f4") for x in numbers(rng))
    direction = rng.normal(size=N).astype("f4")
    _, forward = jax.jvp(
        lambda x: lcrjax.power_mean(np.float32(0.3), weights, x), (items,), (direction,)
    )
    backward = slopes(np.float32(0.3), weights, items)[2] @ direction
    np.testing.assert_allclose(forward, backward, rtol=1e-5)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"weights have shape \(2,\) and items \(3,\)"):
        lcrjax.power_mean(1, [1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"order has shape \(2,\)"):
        lcrjax.power_mean([1, 2], [1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="axis is 1"):
        lcrjax.power_mean(1, [1.0, 2.0], [1.0, 2.0], axis=1)
    with pytest.raises(ValueError, match="axis is 0"):
        lcrjax.power_mean(1, 1.0, 1.0)
