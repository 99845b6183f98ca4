import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import lcrjax
from lcrjax.numerics.power_means import _mean_of_traced_rows
from tests.reference import exact_power_mean

N = 12  # every test averages so many items, so that a dtype compiles once
SMALL = (1e-12, 1e-7, 0.003, 0.3, 1.0)
ORDERS = (0.0, *SMALL, *(-r for r in SMALL), 1 - 1e-12, 2.0, 1e4, -1e4, np.inf, -np.inf)
#: By path and dtype, and over how many decades of weights and items.
CLOSE = {("at hand", "float64"): (1e-12, 30), ("traced", "float32"): (3e-6, 6),
         ("traced", "float64"): (1e-12, 30)}  # fmt: skip
KINDS = pytest.mark.parametrize(("path", "dtype"), CLOSE)
MEANS = {"at hand": lcrjax.power_mean, "traced": jax.jit(lcrjax.power_mean, static_argnums=3)}
PATHS = pytest.mark.parametrize("mean", MEANS.values(), ids=MEANS)


def arrays(low, high):
    """Arrays of N numbers, evenly between two."""
    return hnp.arrays(np.float64, N, elements=st.floats(low, high, width=32))


def check(order, weights, items, path, dtype):
    """Compare with mpmath, on the numbers as the dtype holds them."""
    order, weights, items = (np.asarray(x, dtype) for x in (order, weights, items))
    found = np.asarray(MEANS[path](order, weights, items))
    assert found.dtype == dtype
    wanted = exact_power_mean(float(order), weights.tolist(), items.tolist())
    error = abs(mpmath.mpf(float(found)) / wanted - 1)
    assert error <= CLOSE[path, dtype][0], (float(order), float(error))


@KINDS
@given(weights=arrays(-1, 0), items=arrays(-1, 1), dropped=st.sets(st.integers(1, N - 1)))
@settings(max_examples=8)
def test_equals_mpmath_over_decades_of_weights_and_items(path, dtype, weights, items, dropped):
    """Thirty decades of weights and sixty of items, on either side of one; or six and six."""
    decades = CLOSE[path, dtype][1]
    weights = 10 ** (decades * weights)
    items = 10 ** (decades * (items if decades == 30 else items / 2))
    weights[list(dropped)] = 0
    with jax.enable_x64(dtype == "float64"):
        for order in ORDERS:
            check(order, weights, items, path, dtype)


@KINDS
@given(
    weights=arrays(-2, 0),
    spread=st.floats(-8, 0.5),
    where=st.floats(-3, 3),
    noise=arrays(-1, 1),
    order=st.sampled_from(ORDERS) | st.floats(-50, 50),
)
@settings(max_examples=30)
def test_equals_mpmath_for_items_that_lie_close_together(
    path, dtype, weights, spread, where, noise, order
):
    items = 10.0**where * np.exp(10.0**spread * noise)
    with jax.enable_x64(dtype == "float64"):
        check(order, 10.0**weights, items, path, dtype)


@given(weights=arrays(-20, 0), items=arrays(-20, 20), order=st.sampled_from(ORDERS))
@settings(max_examples=20)
def test_numbers_at_hand_are_rounded_once(weights, items, order):
    """Whatever the dtype of the result, they are averaged in float64."""
    weights, items, order = 10.0**weights, 10.0**items, float(np.float32(order))
    with jax.enable_x64(False):
        single = lcrjax.power_mean(order, weights, items)
    assert single.dtype == np.float32
    with jax.enable_x64(True):
        np.testing.assert_array_equal(single, np.float32(lcrjax.power_mean(order, weights, items)))


@PATHS
@pytest.mark.parametrize("order", ORDERS)
def test_zero_and_infinite_items_take_over_on_their_side_of_order_zero(order, mean, rng):
    weights, items = (x.astype("f4") for x in (rng.random(N), rng.lognormal(size=N)))
    with_zero, with_infinity = items.copy(), items.copy()
    with_zero[3], with_infinity[5] = 0, np.inf
    order = np.float32(order)
    for spoilt in (with_zero, with_infinity):
        wanted = float(exact_power_mean(float(order), weights.tolist(), spoilt.tolist()))
        found = mean(order, weights, spoilt)
        np.testing.assert_allclose(found, wanted if wanted > 1e-38 else 0, rtol=1e-5)
    weights[3] = weights[5] = 0
    unaffected = mean(order, weights, items)
    assert mean(order, weights, with_zero) == unaffected
    assert mean(order, weights, with_infinity) == unaffected


@PATHS
@pytest.mark.parametrize("order", ORDERS)
def test_mean_of_nothing_but_zeros_or_infinities(order, mean, rng):
    weights = rng.random(N)
    weights[2] = 0
    assert mean(order, weights, np.zeros(N)) == 0
    assert mean(order, weights, np.full(N, np.inf)) == np.inf


@PATHS
def test_zero_and_infinity_together_are_undefined_at_order_zero_alone(mean, rng):
    items = rng.lognormal(size=N)
    items[0], items[1] = 0, np.inf
    found = [float(mean(r, np.ones(N), items)) for r in (-1.0, 0.0, 1.0)]
    assert found[0] == 0
    assert np.isnan(found[1])
    assert found[2] == np.inf


@PATHS
@pytest.mark.parametrize("order", [0.0, 1.0, -1e-7, 2.0, np.inf, -np.inf])
def test_nan_spreads_unless_it_has_no_weight(order, mean, rng):
    weights, items = rng.random(N), rng.lognormal(size=N)
    spoilt = items.copy()
    spoilt[7] = np.nan
    assert np.isnan(mean(order, weights, spoilt))
    for bad in (np.nan, -1.0):
        broken = weights.copy()
        broken[7] = bad
        assert np.isnan(mean(order, broken, items))
    negative = items.copy()
    negative[7] = -1
    assert np.isnan(mean(order, weights, negative))
    weights[7] = 0
    assert mean(order, weights, spoilt) == mean(order, weights, items)
    assert np.isnan(mean(order, np.zeros(N), items))


@PATHS
def test_nan_order_gives_nan(mean, rng):
    assert np.isnan(mean(np.nan, rng.random(N), rng.lognormal(size=N)))


@PATHS
def test_weights_need_not_sum_to_one(mean, rng):
    weights, items = rng.random(N), rng.lognormal(size=N)
    for order in (0.0, 0.3, -2.0, np.inf):
        one, many = (mean(order, c * weights, items) for c in (1, 1024))
        np.testing.assert_allclose(one, many, rtol=3e-7)


@PATHS
@given(items=arrays(-3, 3), weights=arrays(-3, 0))
@settings(max_examples=25)
def test_rises_with_the_order_and_stays_between_the_extremes(mean, items, weights):
    items, weights = (10**items).astype(np.float32), 10**weights
    means = [mean(r, weights, items) for r in sorted(ORDERS)]
    rising = np.array([float(mean) for mean in means])
    assert np.all(rising[1:] >= rising[:-1] * (1 - 3e-6))
    np.testing.assert_allclose(rising[[0, -1]], [items.min(), items.max()], rtol=1e-6)


def test_all_kinds_of_orders_share_one_compilation(rng):
    weights, items = jnp.asarray(rng.random(N)), jnp.asarray(rng.lognormal(size=N))

    def traced(order):
        jax.vmap(lambda x: lcrjax.power_mean(order, weights, x))(items[None])

    traced(0.5)
    compiled = _mean_of_traced_rows._cache_size()
    orders = [1, 2.0, True, np.int64(3), np.float32(4), np.float64(5), jnp.asarray(6.0),
              jnp.asarray(7), np.inf, -np.inf, 0, 1e-12]  # fmt: skip
    for order in orders:
        traced(order)
    assert _mean_of_traced_rows._cache_size() == compiled


def test_order_may_be_traced_and_mapped(rng):
    weights, items = rng.random(N).astype("f4"), rng.lognormal(size=N).astype("f4")
    orders = jnp.asarray(ORDERS, jnp.float32)
    swept = jax.jit(jax.vmap(lcrjax.power_mean, (0, None, None)))(orders, weights, items)
    alone = [lcrjax.power_mean(order, weights, items) for order in ORDERS]
    np.testing.assert_allclose(swept, alone, rtol=3e-6)


@PATHS
@pytest.mark.parametrize("axis", [0, -1])
def test_axis(axis, mean, rng):
    weights, items = rng.random((3, N)), rng.lognormal(size=(3, N))
    if axis == 0:
        weights, items = weights.T, items.T
    found = mean(0.5, weights, items, axis)
    pairs = zip(np.moveaxis(weights, axis, 0).T, np.moveaxis(items, axis, 0).T, strict=True)
    wanted = [lcrjax.power_mean(0.5, w, x) for w, x in pairs]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@PATHS
def test_many_items_lose_nothing(mean):
    items = np.random.default_rng(1).lognormal(size=100_000).astype("f4")
    weights = np.random.default_rng(2).random(100_000).astype("f4")
    for order in (0.0, 1.0, -1e-7, 2.0):
        w, x = weights.astype(float), items.astype(float)
        r = np.float64(np.float32(order))
        log = np.log(x)
        centre = np.average(log, weights=w)
        spread = np.log1p(np.average(np.expm1(r * (log - centre)), weights=w)) / r if r else 0
        np.testing.assert_allclose(mean(order, weights, items), np.exp(centre + spread), rtol=3e-6)


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
            assert by_item[2] == 0


def test_second_derivatives_equal_differences_of_first_ones(rng, x64):
    weights, items = numbers(rng)
    hessian = jax.jit(jax.hessian(lcrjax.power_mean, argnums=(0, 1, 2)))
    h = 1e-5
    for order in (0.0, 1e-7, 0.3, -2.0):
        given = [np.float64(order), weights, items]
        found = hessian(*given)
        for i in range(3):
            direction = rng.normal(size=np.shape(given[i])) * (np.asarray(given[i]) != 0)
            direction = np.float64(1) if i == 0 else direction
            above, below = (
                slopes(*(x + s * h * direction if k == i else x for k, x in enumerate(given)))
                for s in (1, -1)
            )
            for j in range(3):
                wanted = (above[j] - below[j]) / (2 * h)
                along = np.tensordot(found[j][i], direction, np.ndim(direction))
                np.testing.assert_allclose(along, wanted, rtol=1e-6, atol=1e-7)


def exact_slopes(order, weights, items):
    """Differences in 60 digits; from above by weights of zero, which take items no influence."""

    def slope(change, below=1):
        h = mpmath.mpf(10) ** -20
        return float((change(h) - change(-h * below)) / (h + h * below))

    def changed(values, i, h):
        return [x + h if k == i else x for k, x in enumerate(values)]

    with mpmath.workdps(60):
        order = mpmath.mpf(order)
        weights, items = [mpmath.mpf(w) for w in weights], [mpmath.mpf(x) for x in items]
        by_order = slope(lambda h: exact_power_mean(order + h, weights, items))
        by_weight, by_item = np.zeros(N), np.zeros(N)
        for i in range(N):
            by_weight[i] = slope(
                lambda h, i=i: exact_power_mean(order, changed(weights, i, h), items),
                below=int(weights[i] > 0),
            )
            by_item[i] = slope(
                lambda h, i=i: exact_power_mean(order, weights, changed(items, i, h))
            )
        return by_order, by_weight, by_item


@pytest.mark.parametrize(("order", "item"), [(2.0, 0.0), (0.5, 0.0), (-1.0, np.inf)])
@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_derivative_by_the_weight_of_an_item_whose_power_is_zero(order, item, weight):
    """M = ((w_2 4^r) / (w_1 + w_2))^(1/r), so that dM/dw_1 = -M / (r (w_1 + w_2))."""
    weights, items = np.float32([weight, 0.7]), np.float32([item, 4])
    found = slopes(np.float32(order), weights, items)[1]
    total = weight + 0.7
    wanted = -((0.7 / total * 4**order) ** (1 / order)) / (order * total)
    np.testing.assert_allclose(found[0], wanted, rtol=1e-5)


@pytest.mark.parametrize(("order", "item"), [(2.0, np.inf), (0.0, 0.0), (-np.inf, 0.01)])
def test_infinite_derivatives_by_a_weight_of_zero_are_left_out(order, item):
    found = slopes(np.float32(order), np.float32([0, 0.7]), np.float32([item, 4]))
    np.testing.assert_array_equal(found[1], 0)


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
