"""Statistics recomputed over a subset, and training accuracy counted with them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lcrjax.training import Backend, Network, TrainingConfig
from lcrjax.training.batches import Images, as_input
from lcrjax.training.precise_batch_norm import recompute
from lcrjax.training.training_state import initial_state
from tests.training.small_networks import NORMALISED, PLAIN

CONFIG = TrainingConfig(settling_batch=32)
_recompute = jax.jit(recompute, static_argnums=(4, 5))
_initial_state = jax.jit(initial_state, static_argnums=(1, 2, 3, 4))


def prepare(digits, network):
    backend = Backend(network)
    model = _initial_state(jax.random.key(0), (8, 8, 1), 10, backend, CONFIG)
    images = Images(
        jnp.asarray(digits.train_images[..., None]), jnp.asarray(digits.train_labels, jnp.int32)
    )
    return backend, model, images


@pytest.mark.parametrize("network", [PLAIN, NORMALISED], ids=["plain", "normalised"])
@pytest.mark.parametrize("n", [20, 75])
def test_equals_what_all_images_at_once_give(digits, network, n):
    """In one batch of 20, or in three of 25."""
    backend, model, images = prepare(digits, network)
    indices = jnp.arange(128, dtype=jnp.int32)
    statistics, accuracy = _recompute(model, images, indices, jnp.int32(n), backend, CONFIG)
    pixels, ones = as_input(images.pixels[:n], "float32"), jnp.ones(n, jnp.float32)
    logits, expected = jax.jit(network.apply, static_argnums=4)(
        model.params, model.statistics, pixels, ones, True
    )
    for a, b in zip(*map(jax.tree.leaves, (statistics, expected)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert accuracy == pytest.approx(np.mean(logits.argmax(1) == digits.train_labels[:n]))


def test_counting_ends_once_the_criterion_is_out_of_reach(digits):
    n = 300
    backend, model, images = prepare(digits, NORMALISED)
    indices = jnp.arange(512, dtype=jnp.int32)

    @jax.jit
    def count(wanted):
        return recompute(model, images, indices, jnp.int32(n), backend, CONFIG, wanted)

    statistics, share = count(0.0)
    assert 0.01 < share < 0.9
    for wanted in (0.01, share, share + 1 / n, 0.99):
        same, found = count(wanted)
        jax.tree.map(np.testing.assert_array_equal, same, statistics)
        assert found == share if wanted <= share else found < min(wanted, share + 1e-6)
    assert count(0.99)[1] < share


def test_other_statistics_are_told(digits):
    def apply(params, statistics, images, weights, training):
        logits, _ = PLAIN.apply(params, {}, images, weights, training)
        return logits, statistics

    network = Network("counting", lambda *a: (PLAIN.init(*a)[0], {"count": jnp.ones(3)}), apply)
    backend, model, images = prepare(digits, network)
    with pytest.raises(ValueError, match=r"statistics are .*count.*: name each"):
        recompute(model, images, jnp.arange(64), jnp.int32(20), backend, CONFIG)
    lone = dataclasses.replace(
        network, init=lambda *a: (PLAIN.init(*a)[0], {"norm": {"var": jnp.ones(3)}})
    )
    backend, model, images = prepare(digits, lone)
    with pytest.raises(ValueError, match="name each"):
        recompute(model, images, jnp.arange(64), jnp.int32(20), backend, CONFIG)
