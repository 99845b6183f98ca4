import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.gaussian_process.kernels import Matern
from sklearn.metrics import pairwise

import lcrjax
from tests.compiling import quick_jit

N, M, D = 33, 20, 10
KERNELS = {
    "Gaussian": (lcrjax.Gaussian, lambda x, y, s: pairwise.rbf_kernel(x, y, 1 / (2 * s**2))),
    "Laplacian": (lcrjax.Laplacian, lambda x, y, s: np.exp(-cdist(x, y) / s)),
    "Matern32": (lcrjax.Matern32, lambda x, y, s: Matern(s, nu=1.5)(x, y)),
    "Matern52": (lcrjax.Matern52, lambda x, y, s: Matern(s, nu=2.5)(x, y)),
    "RMSD": (lcrjax.RMSD, lambda x, y, s: np.exp(-s * cdist(x, y) / np.sqrt(D))),
}  # fmt: skip


def matrix(kernel, x, y=None):
    dtype = np.asarray(x).dtype
    return lcrjax.ordinariness(x, np.eye(len(x if y is None else y), dtype=dtype), kernel, others=y)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("length", [0.5, 3.0])
def test_kernels_equal_those_of_scikit_learn(name, length, rng):
    x, y = rng.normal(size=(N, D)).astype("f4"), rng.normal(size=(M, D)).astype("f4")
    kernel, reference = KERNELS[name]
    xd, yd = x.astype(float), y.astype(float)
    found = matrix(kernel(length), x)
    np.testing.assert_allclose(found, reference(xd, xd, length), atol=1e-5, rtol=0)
    np.testing.assert_array_equal(np.diag(found), 1)
    found = matrix(kernel(length), x, y)
    np.testing.assert_allclose(found, reference(xd, yd, length), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_in_float64(name, x64, rng):
    x, (kernel, reference) = rng.normal(size=(N, D)), KERNELS[name]
    x[1] = x[0] + 1e-8
    np.testing.assert_allclose(matrix(kernel(2.0), x), reference(x, x, 2.0), atol=1e-10, rtol=0)


@pytest.mark.parametrize("name", KERNELS)
def test_profiles_are_one_at_zero_and_fall_in_a_convex_curve(name, x64):
    """As the bound of their change within the noise of a distance takes for granted."""
    kernel = KERNELS[name][0](1.3)
    squared = jnp.asarray(10.0 ** np.linspace(-6, 1, 200))
    assert kernel.at(jnp.zeros(()), D) == 1
    slope = jax.grad(lambda s: kernel.at(s, D))
    assert (quick_jit(jax.vmap(slope))(squared) < 0).all()
    assert (quick_jit(jax.vmap(jax.grad(slope)))(squared) > 0).all()


@pytest.mark.parametrize("name", KERNELS)
def test_parameters_and_elements_have_finite_derivatives(name, rng):
    x = rng.normal(size=(N, D)).astype("f4")
    x[1] = x[0]
    weights = rng.random((N, 1)).astype("f4")
    kernel, reference = KERNELS[name]

    def total(length, x):
        return jnp.sum(lcrjax.ordinariness(x, weights, kernel(length)))

    by_length, by_element = quick_jit(jax.grad(total, (0, 1)))(2.0, x)
    assert np.isfinite(by_element).all()
    xd, h = x.astype(float), 1e-5
    wanted = sum(s * np.sum(reference(xd, xd, 2 + s * h) @ weights) for s in (1, -1)) / (2 * h)
    np.testing.assert_allclose(by_length, wanted, rtol=1e-4)


def test_similarities_are_pytrees():
    for name, (kernel, _) in KERNELS.items():
        leaves, shape = jax.tree.flatten(kernel(2.0))
        assert leaves[0] == 2.0, name
        assert jax.tree.unflatten(shape, leaves) == kernel(2.0)


def test_half_precision_is_computed_in_float32(rng):
    x = rng.normal(size=(N, D)).astype(np.float16)
    found = lcrjax.ordinariness(x, np.eye(N, dtype="f4"), lcrjax.Gaussian(2.0))
    assert found.dtype == jnp.float32
    wanted = pairwise.rbf_kernel(x.astype(float), gamma=1 / 8)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, np.ones(2), np.array("one")])
@pytest.mark.parametrize("name", KERNELS)
def test_parameters_are_finite_and_positive(name, value, rng):
    word = "scale" if name == "RMSD" else "length"
    with pytest.raises(ValueError, match=f"{word} is .*: give a finite number above 0"):
        lcrjax.ordinariness(rng.normal(size=(3, 2)), np.ones(3), KERNELS[name][0](value))
