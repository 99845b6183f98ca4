from fractions import Fraction

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lcrjax.numerics import double_word as dw

N = 16
UNIT = {"float32": 2.0**-33, "float64": 2.0**-74}  # relative error of sums and products
# The third order of the series is summed in plain floats: (0.57)^3 / 6 of a few roundings.
SERIES_UNIT = {"float32": 2.0**-26, "float64": 2.0**-55}  # of logs and exponentials
DTYPES = ("float32", "float64")

# Under jit, where a compiler may fuse and reorder.
add, subtract, scale, multiply, divide, total = map(
    jax.jit, (dw.add, dw.subtract, dw.scale, dw.multiply, dw.divide, dw.total)
)
logarithm, log_of, log_fraction = map(jax.jit, (dw.logarithm, dw.log_of, dw.log_fraction))
parts, exponential, expm1 = map(jax.jit, (dw.exponential_parts, dw.exponential, dw.expm1))


def numbers(low, high):
    signs = hnp.arrays(np.int64, N, elements=st.sampled_from([-1, 1]))
    sizes = hnp.arrays(np.float64, N, elements=st.floats(low, high))
    return st.tuples(signs, sizes).map(lambda both: both[0] * 10.0 ** both[1])


def held(x, dtype):
    """A float64 number as a pair of the dtype; of float64, with a made-up lower half."""
    hi = np.asarray(x, dtype)
    lo = np.asarray(x - hi.astype(float), dtype) if dtype == "float32" else hi * 2.0**-54 * 0.7
    return dw.Pair(jnp.asarray(hi), jnp.asarray(lo))


def rational(a):
    if isinstance(a, dw.Pair):
        pairs = zip(np.ravel(a.hi).tolist(), np.ravel(a.lo).tolist(), strict=True)
        return [Fraction(hi) + Fraction(lo) for hi, lo in pairs]
    return [Fraction(x) for x in np.ravel(a).tolist()]


def close(found, wanted, unit, size=None):
    for i, (x, y) in enumerate(zip(found, wanted, strict=True)):
        scale = abs(y) if size is None else size[i]
        assert abs(x - y) <= Fraction(unit) * Fraction(scale), (i, float(x), float(y))


def digits(function, values):
    """A function of exact rationals, in 60 digits, as rationals."""
    with mpmath.workdps(60):
        found = [function(mpmath.mpf(x.numerator) / x.denominator) for x in values]
        return [Fraction(str(mpmath.nstr(y, 50))) for y in found]


@pytest.mark.parametrize("dtype", DTYPES)
@given(x=numbers(-8, 8), y=numbers(-8, 8))
@settings(max_examples=20)
def test_arithmetic(dtype, x, y):
    with jax.enable_x64(dtype == "float64"):
        a, b = held(x, dtype), held(y, dtype)
        p, r = rational(a), rational(b)
        larger = [max(abs(u), abs(v)) for u, v in zip(p, r, strict=True)]
        unit = UNIT[dtype]
        both = list(zip(p, r, strict=True))
        close(rational(add(a, b)), [u + v for u, v in both], unit, larger)
        close(rational(subtract(a, b)), [u - v for u, v in both], unit, larger)
        close(rational(multiply(a, b)), [u * v for u, v in both], unit)
        close(rational(divide(a, b)), [u / v for u, v in both], unit)
        factor = [u * w for u, w in zip(p, rational(b.hi), strict=True)]
        close(rational(scale(a, b.hi)), factor, unit)
        assert rational(dw.negative(a)) == [-u for u in p]


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_are_normalised(dtype, rng):
    with jax.enable_x64(dtype == "float64"):
        a, b = (held(rng.normal(size=N), dtype) for _ in range(2))
        for result in (add(a, b), multiply(a, b), divide(a, b), parts(a)[1]):
            np.testing.assert_array_equal(result.hi, result.hi + result.lo)


@pytest.mark.parametrize("dtype", DTYPES)
@given(x=numbers(-30, 30))
@settings(max_examples=20)
def test_logarithm_is_relatively_exact_near_one_too(dtype, x):
    with jax.enable_x64(dtype == "float64"):
        for numbers_ in (np.abs(x), 1 + 1e-3 * np.tanh(x), np.exp(np.tanh(x) / 2)):
            plain = jnp.asarray(numbers_, dtype)
            wanted = digits(mpmath.log, rational(plain))
            close(rational(logarithm(plain)), wanted, SERIES_UNIT[dtype])
            pairs = held(numbers_, dtype)
            # The lower half adds an absolute error where the log is small.
            wanted = digits(mpmath.log, rational(pairs))
            size = [max(abs(y), Fraction(1, 100)) for y in wanted]
            close(rational(log_of(pairs)), wanted, SERIES_UNIT[dtype], size)


@pytest.mark.parametrize("dtype", DTYPES)
@given(x=numbers(-12, -0.35))
@settings(max_examples=20)
def test_log_fraction_is_log1p_near_and_log_elsewhere(dtype, x):
    with jax.enable_x64(dtype == "float64"):
        a = held(x, dtype)
        near = log_fraction(jnp.ones(N, bool), a)
        close(rational(near), digits(mpmath.log1p, rational(a)), SERIES_UNIT[dtype])
        b = held(np.abs(x), dtype)
        far = log_fraction(jnp.zeros(N, bool), b)
        close(rational(far), digits(mpmath.log, rational(b)), SERIES_UNIT[dtype])
        plain = dw.log_fraction(jnp.ones(N, bool), dw.Pair(a.hi, None))
        np.testing.assert_allclose(plain.hi, np.log1p(np.asarray(a.hi)), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@given(x=numbers(-12, 1.8))
@settings(max_examples=20)
def test_exponential_and_expm1(dtype, x):
    with jax.enable_x64(dtype == "float64"):
        a = held(x, dtype)
        values = rational(a)
        grown = digits(mpmath.exp, values)
        close(rational(parts(a)[1]), grown, SERIES_UNIT[dtype])
        eps = float(np.finfo(dtype).eps)
        close(rational(exponential(a)), grown, eps)
        close(rational(expm1(a)), digits(mpmath.expm1, values), 2 * eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rise_is_exact_up_to_the_reach_of_the_power_mean(dtype):
    """Beyond half of log 2 the argument is reduced, and the rise is another number's."""
    from lcrjax.numerics.power_means import _REACH

    with jax.enable_x64(dtype == "float64"):
        a = held(np.linspace(-_REACH, _REACH, N), dtype)
        close(rational(parts(a)[0]), digits(mpmath.expm1, rational(a)), SERIES_UNIT[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 16, 128, 129, 1000])
def test_total_loses_nothing_in_cancelling_sums(dtype, n, rng):
    with jax.enable_x64(dtype == "float64"):
        x = rng.normal(size=n) * 10.0 ** rng.uniform(-6, 6, n)
        a = held(np.concatenate([x, -x + 1e-3 * rng.normal(size=n)])[:, None], dtype)
        values = rational(a)
        size = [sum(map(abs, values)) * 16]
        close(rational(total(a)), [sum(values)], UNIT[dtype], size)
        plain = total(dw.Pair(a.hi, None))
        assert plain.lo is None
        assert plain.hi.shape == (1, 1)
        error = abs(Fraction(float(plain.hi[0, 0])) - sum(rational(a.hi)))
        assert error <= size[0] * Fraction(float(np.finfo(dtype).eps))


def test_limits_are_those_of_floats():
    x = jnp.asarray([0, jnp.inf, jnp.nan, 1.0], jnp.float32)
    np.testing.assert_array_equal(dw.value(dw.logarithm(x)), [-np.inf, np.inf, np.nan, 0])
    huge = dw.pair(jnp.asarray([-1e30, -200, 200, 1e30, 0], jnp.float32))
    np.testing.assert_array_equal(exponential(huge), [0, 0, np.inf, np.inf, 1])
    np.testing.assert_array_equal(expm1(huge), [-1, -1, np.inf, np.inf, 0])


def test_plain_numbers_stay_plain():
    a = dw.pair(jnp.ones(3), like=dw.Pair(jnp.ones(3), None))
    assert a.lo is None
    for result in (dw.add(a, a), dw.multiply(a, a), dw.divide(a, a), dw.log_of(a), dw.negative(a)):
        assert result.lo is None
    assert dw.logarithm(jnp.ones(3), False).lo is None


def test_derivatives(rng):
    x = rng.lognormal(size=N).astype("f4")
    ones = jnp.ones(N, "f4")

    def slope(function):
        return jax.vjp(function, jnp.asarray(x))[1](ones)[0]

    np.testing.assert_allclose(slope(lambda v: dw.value(dw.logarithm(v))), 1 / x, rtol=1e-6)
    np.testing.assert_allclose(slope(lambda v: dw.exponential(dw.pair(v))), np.exp(x), rtol=1e-6)
    np.testing.assert_allclose(slope(lambda v: dw.expm1(dw.pair(v))), np.exp(x), rtol=1e-6)
    summed = slope(lambda v: jnp.broadcast_to(dw.value(dw.total(dw.pair(v))), N))
    np.testing.assert_allclose(summed, N)
    at_zero = jax.grad(lambda v: dw.logarithm(v).hi)(jnp.float32(0))
    assert at_zero == 0
