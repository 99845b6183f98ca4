"""One similarity whatever the unit and the origin, against NumPy in float64."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lcrjax
from lcrjax.pairwise import count_close_pairs, intrinsic_dimension, nearest_neighbours
from lcrjax.similarity.distances.units import in_own_unit, times_power
from tests.compiling import quick_jit

KERNELS = {
    "laplacian": (lcrjax.Laplacian, lambda a: np.exp(-a)),
    "gaussian": (lcrjax.Gaussian, lambda a: np.exp(-(a**2) / 2)),
    "matern32": (lcrjax.Matern32, lambda a: (1 + 3**0.5 * a) * np.exp(-(3**0.5) * a)),
    "matern52": (
        lcrjax.Matern52,
        lambda a: (1 + 5**0.5 * a + 5 * a**2 / 3) * np.exp(-(5**0.5) * a),
    ),
    "rmsd": (lambda length: lcrjax.RMSD(3**0.5 / length), lambda a: np.exp(-a)),
}
N = 12


def matrix(kernel, x):
    return np.asarray(lcrjax.ordinariness(x, np.eye(N), kernel), float)


def vectors():
    x = np.random.default_rng(3).normal(size=(N, 3))
    x[4] = x[5]
    return x, np.sqrt(((x[:, None] - x[None]) ** 2).sum(-1))


@given(exponent=st.floats(-300, 300), name=st.sampled_from(sorted(KERNELS)))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_float64_at_hand_in_any_unit(path, exponent, name):
    (x, apart), (kernel, profile), unit = vectors(), KERNELS[name], 10.0**exponent
    found = matrix(kernel(1.5 * unit), x * unit)
    np.testing.assert_allclose(found, profile(apart / 1.5), rtol=0, atol=1e-5)


@given(exponent=st.floats(-34, 36), name=st.sampled_from(sorted(KERNELS)))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_float32_at_hand_and_traced_in_any_unit(path, exponent, name):
    (x, _), (kernel, profile), unit = vectors(), KERNELS[name], 10.0**exponent
    x, length = (x * unit).astype("f4"), np.float32(1.5 * unit)
    wide = x.astype(float)
    apart = np.sqrt(((wide[:, None] - wide[None]) ** 2).sum(-1))
    wanted = profile(apart / float(length))
    np.testing.assert_allclose(matrix(kernel(length), x), wanted, rtol=0, atol=1e-5)


@functools.cache
def traced(name):
    kernel, _ = KERNELS[name]
    return quick_jit(lambda length, x: lcrjax.ordinariness(x, jnp.eye(N), kernel(length)))


@pytest.mark.parametrize("name", ["gaussian", "rmsd"])
@pytest.mark.parametrize("unit", [1e-30, 1e-19, 1e-10, 1e10, 1e20, 1e36])
def test_traced_in_any_unit(path, name, unit):
    (x, apart), (_, profile) = vectors(), KERNELS[name]
    found = traced(name)(np.float32(1.5 * unit), (x * unit).astype("f4"))
    np.testing.assert_allclose(found, profile(apart / 1.5), rtol=0, atol=1e-5)


@pytest.mark.parametrize("unit", [1e-200, 1e-19, 1e200])
def test_float64_computed_in_float64(unit, x64):
    (x, apart), (kernel, profile) = vectors(), KERNELS["gaussian"]
    found = matrix(kernel(1.5 * unit), x * unit)
    np.testing.assert_allclose(found, profile(apart / 1.5), rtol=0, atol=1e-13)


def test_derivatives_in_any_unit():
    x = vectors()[0].astype("f4")

    @quick_jit
    def slopes(length, x):
        def total(length, x):
            return jnp.sum(lcrjax.ordinariness(x, jnp.ones(N), lcrjax.Gaussian(length)) ** 2)

        return jax.grad(total, (0, 1))(length, x)

    wanted = slopes(np.float32(1.5), x)
    for unit in np.float32([1e-10, 1e10]):
        found = slopes(np.float32(1.5) * unit, x * unit)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one * unit, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["float64", "int64", "uint64", "int32"])
def test_times_in_seconds_keep_their_digits(kind, path):
    """Unix times within ten minutes, which float32 rounds to two."""
    seconds = (1.7e9 + np.random.default_rng(0).uniform(0, 600, (N, 1))).astype(kind)
    gap = np.abs(np.subtract.outer(seconds[:, 0].astype(float), seconds[:, 0].astype(float)))
    z = np.exp(-gap / 60)
    np.testing.assert_allclose(matrix(lcrjax.Laplacian(60.0), seconds), z, rtol=0, atol=1e-5)
    found = lcrjax.diversity(np.ones(N), lcrjax.Laplacian(60.0), elements=seconds, q=2)
    wanted = 1 / np.mean(z.mean(axis=1))
    np.testing.assert_allclose(found.dataset_level["gamma"][0], wanted, rtol=1e-5)
    score = lcrjax.vendi_score(seconds, lcrjax.Laplacian(60.0), 2)
    np.testing.assert_allclose(score, 1 / np.mean(z**2), rtol=1e-5)


def test_nanoseconds_of_which_float64_holds_no_digit():
    ticks = 2**62 + np.array([0, 1, 5, 40])[:, None]
    gap = np.abs(np.subtract.outer(*[np.array([0, 1, 5, 40])] * 2))
    found = lcrjax.ordinariness(ticks, np.eye(4), lcrjax.Laplacian(10.0))
    np.testing.assert_allclose(found, np.exp(-gap / 10), rtol=0, atol=1e-6)
    wide = np.array([[-(2**63)], [2**63 - 1]])
    found = lcrjax.ordinariness(wide, np.eye(2), lcrjax.Laplacian(2.0**64))
    np.testing.assert_allclose(found[0, 1], np.exp(-1), rtol=1e-6)


def test_others_share_the_origin_and_the_unit():
    x, y = np.array([[1e9], [1e9 + 1]]), np.array([[1e9 + 0.5], [1e9 + 7], [0]])
    found = lcrjax.ordinariness(x, np.eye(3), lcrjax.Laplacian(1.0), others=y)
    np.testing.assert_allclose(found, np.exp(-np.abs(x - y.T)), atol=1e-6)


class Cauchy(lcrjax.Radial):
    """A user's own, of squared distances in the unit of the vectors."""

    def at(self, squared, dimension):
        return 1 / (1 + squared)


def test_a_similarity_that_knows_no_unit_keeps_that_of_its_vectors():
    x = np.array([[1e9], [1e9 + 1e-3], [1e9 + 2]])
    found = lcrjax.ordinariness(x, np.eye(3), Cauchy())
    np.testing.assert_allclose(found, 1 / (1 + (x - x.T) ** 2), rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-60, 1e-10, 1e3, 1e60])
def test_neighbours_in_any_unit(unit):
    x = np.random.default_rng(1).normal(size=(60, 4)) + 10
    x[7] = x[8]
    labels = np.arange(60) % 2
    apart = np.sqrt(((x[:, None] - x[None]) ** 2).mean(-1))
    np.fill_diagonal(apart, np.inf)
    found = nearest_neighbours(x * unit, labels)
    for one, alike in zip(found, (True, False), strict=True):
        allowed = np.where((labels[:, None] == labels[None]) == alike, apart, np.inf)
        np.testing.assert_array_equal(one.index, allowed.argmin(axis=1))
        np.testing.assert_allclose(one.rmsd, allowed.min(axis=1) * unit, rtol=1e-5)
    assert intrinsic_dimension(x * unit) == pytest.approx(intrinsic_dimension(x), rel=1e-4)
    limits = np.quantile(apart, [0.01, 0.2])
    counts = count_close_pairs(x * unit, labels, np.ones(60, bool), (limits * unit).tolist())
    above = np.triu(np.ones((60, 60), bool), 1)
    wanted = [np.sum(above & (apart <= limit)) for limit in limits]
    np.testing.assert_array_equal(np.sum(counts, axis=0), wanted)


def test_an_outlier_leaves_neighbours_apart():
    x = np.array([[0.0, 0], [1, 0], [0, 2], [3e3, 0], [3e3, 4], [3.1e3, 0]])
    within, _ = nearest_neighbours(x, np.zeros(6, int))
    np.testing.assert_array_equal(within.index, [1, 0, 0, 4, 3, 3])


def test_vectors_that_need_nothing_are_not_copied():
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("f4")
    same, _, exponent = in_own_unit(x, None)
    assert same is x
    assert exponent == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_powers_of_two_change_no_digit(dtype):
    with jax.enable_x64(dtype == "float64"):
        x = jnp.asarray([1.1, -3.7], dtype)
        for exponent in (-100, -1, 0, 3, 100):
            found = jax.jit(times_power)(x, exponent)
            np.testing.assert_array_equal(
                found, np.asarray(x) * np.dtype(dtype).type(2.0**exponent)
            )


@pytest.mark.parametrize("kernel", [lcrjax.Cosine(), lcrjax.Linear()])
@pytest.mark.parametrize("unit", [1e-200, 1e-50, 1e50, 1e200])
def test_directions_in_any_unit(kernel, unit):
    x, _ = vectors()
    found = lcrjax.ordinariness(x * unit, np.eye(N), kernel)
    np.testing.assert_allclose(found, lcrjax.ordinariness(x, np.eye(N), kernel), atol=1e-6)
