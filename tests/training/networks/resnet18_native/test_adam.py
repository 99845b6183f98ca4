"""Adam's kernel against optax."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lcrjax import native
from lcrjax.training import Backend, TrainingConfig, resnet18
from lcrjax.training.networks.resnet18_native.backend import NativeBackend
from lcrjax.training.optimizer import make_optimizer


@pytest.mark.skipif(not native.complete(), reason="no compiled kernels")
def test_adam_in_one_pass_is_adam(rng):
    shapes = {"one": (1,), "ragged": (3, 7, 5), "pieces": (70_001,), "even": (16, 64)}
    params = {key: rng.normal(size=shape).astype("f4") for key, shape in shapes.items()}
    config = TrainingConfig(learning_rate=0.01)
    ends = []
    for backend in (NativeBackend(resnet18), Backend(resnet18)):

        @jax.jit
        def run(params, gradients, backend=backend):
            def step(carry, gradient):
                return backend.update(*carry, gradient, config, 0.5), None

            start = (params, make_optimizer(config).init(params))
            return jax.lax.scan(step, start, gradients)[0]

        steps = np.random.default_rng(1)
        gradients = {
            key: (steps.normal(size=(5, *shape)) * 10.0 ** steps.uniform(-4, 1)).astype("f4")
            for key, shape in shapes.items()
        }
        ends.append(run(jax.tree.map(jnp.asarray, params), gradients))
    assert jax.tree.structure(ends[0]) == jax.tree.structure(ends[1])
    for ours, optax in zip(*map(jax.tree.leaves, ends), strict=True):
        np.testing.assert_allclose(ours, optax, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("change", [{"optimizer": "sgd"}, {"weight_decay": 0.1}])
def test_other_recipes_go_through_optax(change):
    params = {"a": jnp.ones((2, 2))}
    config = TrainingConfig(**change)
    moments = make_optimizer(config).init(params)
    found, _ = NativeBackend(resnet18).update(params, moments, params, config, 1.0)
    again, _ = Backend(resnet18).update(params, moments, params, config, 1.0)
    np.testing.assert_array_equal(found["a"], again["a"])
    assert (np.asarray(found["a"]) < 1).all()
