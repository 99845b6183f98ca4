"""Initial weights: the same random numbers as jax draws."""

import jax
import numpy as np
import pytest
from scipy.special import erfinv

from lcrjax import native
from lcrjax.training.networks.resnet18_native.normals import normals

pytestmark = pytest.mark.skipif(not native.complete(), reason="no compiled kernels")


@pytest.mark.parametrize("n", [1, 15, 16, 17, 32_769, 100_000])
def test_the_kernel_draws_as_jax_does(n):
    key = jax.random.key(n)
    found = normals(key, n)
    assert found.shape == (n,)
    np.testing.assert_allclose(found, jax.random.normal(key, (n,)), rtol=1e-5, atol=1e-7)


def test_normal_to_the_last_digits():
    key, least = jax.random.key(3), float(np.nextafter(np.float32(-1), np.float32(0)))
    uniform = np.asarray(jax.random.uniform(key, (200_000,), np.float32, least, 1.0), float)
    np.testing.assert_allclose(normals(key, 200_000), np.sqrt(2) * erfinv(uniform), rtol=5e-7)


def test_in_programs_for_several_models_and_of_any_number_of_threads():
    keys = jax.random.split(jax.random.key(0), 3)
    alone = np.stack([normals(key, 70_000) for key in keys])
    np.testing.assert_array_equal(jax.jit(jax.vmap(lambda k: normals(k, 70_000)))(keys), alone)
    assert "lcrjax_normals" in jax.jit(lambda k: normals(k, 8)).lower(keys[0]).compile().as_text()


def test_other_keys_draw_with_jax():
    key = jax.random.key(5, impl="rbg")
    np.testing.assert_array_equal(normals(key, 10), jax.random.normal(key, (10,)))
