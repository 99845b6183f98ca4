import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import pairwise

import lcrjax
from tests.compiling import quick_jit

N, D = 33, 10


def matrix(kernel, x, y=None):
    dtype = np.asarray(x).dtype
    return lcrjax.ordinariness(x, np.eye(len(x if y is None else y), dtype=dtype), kernel, others=y)


def test_cosine_equals_that_of_scikit_learn_cut_at_zero(rng):
    x, y = rng.normal(size=(N, D)).astype("f4"), rng.normal(size=(20, D)).astype("f4")
    wanted = np.maximum(pairwise.cosine_similarity(x.astype(float)), 0)
    found = matrix(lcrjax.Cosine(), x)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    np.testing.assert_array_equal(np.diag(found), 1)
    wanted = np.maximum(pairwise.cosine_similarity(x.astype(float), y.astype(float)), 0)
    np.testing.assert_allclose(matrix(lcrjax.Cosine(), x, y), wanted, atol=1e-6)


def test_linear_keeps_negative_similarities(rng):
    x = rng.normal(size=(N, D)).astype("f4")
    wanted = pairwise.cosine_similarity(x.astype(float))
    np.testing.assert_allclose(matrix(lcrjax.Linear(), x), wanted, atol=1e-6)


def test_length_is_of_no_matter_and_zero_vectors_are_alone(rng):
    x = rng.normal(size=(N, D)).astype("f4")
    scaled = x * 2.0 ** rng.integers(-20, 20, (N, 1)).astype("f4")
    np.testing.assert_allclose(
        matrix(lcrjax.Cosine(), scaled), matrix(lcrjax.Cosine(), x), atol=1e-6
    )
    x[5] = 0
    found = matrix(lcrjax.Cosine(), x)
    np.testing.assert_array_equal(found[5], np.eye(N)[5])


def test_float64(x64, rng):
    x = rng.normal(size=(N, D))
    wanted = np.maximum(pairwise.cosine_similarity(x), 0)
    np.testing.assert_allclose(matrix(lcrjax.Cosine(), x), wanted, atol=1e-14)


def test_derivatives_are_finite(rng):
    x = rng.normal(size=(N, D)).astype("f4")
    x[1], x[2] = x[0], 0
    slope = jax.grad(lambda x: jnp.sum(lcrjax.ordinariness(x, np.ones(N, "f4"), lcrjax.Cosine())))(
        x
    )
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("kernel", [lcrjax.Cosine(), lcrjax.Linear()])
@pytest.mark.parametrize("size", [2e-38, 1e-25, 1.0, 1e25, 3e38])
def test_tiny_and_huge_vectors_have_directions(kernel, size):
    x = np.float32([[1, 0], [1, 1], [0.6, 0.8]])
    wanted = np.array([[1, 0.5**0.5, 0.6], [0.5**0.5, 1, 0.98994949], [0.6, 0.98994949, 1]])
    np.testing.assert_allclose(matrix(kernel, x * np.float32(size)), wanted, atol=1e-6)


@pytest.mark.parametrize("kernel", [lcrjax.Cosine(), lcrjax.Linear()])
def test_tiny_and_huge_vectors_have_derivatives(kernel, rng):
    x = np.float32([[1, 0], [1, 1], [0.6, 0.8]])
    mix = rng.random((3, 3)).astype("f4")

    @quick_jit
    @jax.grad
    def slope(x):
        return jnp.sum(lcrjax.ordinariness(x, np.eye(3, dtype="f4"), kernel) * mix)

    for size in np.float32([1e-36, 1e-25, 1e25, 1e36]):
        np.testing.assert_allclose(slope(x * size) * size, slope(x), atol=1e-5)


def test_derivatives_of_near_duplicates(rng):
    x = rng.normal(size=(16, D))
    x = np.concatenate([x, x * 1.5 + 1e-4 * rng.normal(size=(16, D))]).astype("f4")
    weights = rng.random(32).astype("f4")

    def total(x):
        return jnp.sum(lcrjax.ordinariness(x, weights, lcrjax.Cosine()) ** 2)

    def dense(x):
        unit = x / jnp.linalg.norm(x, axis=1, keepdims=True)
        return jnp.sum((jnp.maximum(unit @ unit.T, 0) @ weights.astype(float)) ** 2)

    found = quick_jit(jax.grad(total))(x)
    with jax.enable_x64(True):
        wanted = np.asarray(quick_jit(jax.grad(dense))(jnp.asarray(x.astype(float))))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())
